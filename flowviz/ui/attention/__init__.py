"""The attention page's panels and callbacks."""

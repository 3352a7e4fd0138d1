"""The page of one head: panels and callbacks."""

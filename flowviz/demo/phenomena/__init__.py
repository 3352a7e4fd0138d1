"""One module for each family of phenomena: its templates, and how their slots are drawn."""

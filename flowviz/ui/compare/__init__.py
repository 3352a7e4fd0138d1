"""The page that compares two passes: ids, panels and forms."""

"""Pictures as HTML files that ask no other file, no server and no network for anything."""

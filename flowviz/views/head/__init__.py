"""One head from the inside, for pages, files and terminals. No Dash, no torch."""

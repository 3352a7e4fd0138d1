"""What a search of contexts found, made fit to be shown: no Dash, no torch."""

"""What pages are built from: ids, codecs and panels. Dash lives here; torch does not."""

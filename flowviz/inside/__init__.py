"""Inside a block: every part of it as a flow of its own."""

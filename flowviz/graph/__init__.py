"""The flow graph: its types, how it is built, pruned, laid out, inspected and written to files."""

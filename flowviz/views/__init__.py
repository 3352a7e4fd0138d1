"""What a person sees of a flow graph: elements, words, tables, charts, files. Pure functions."""

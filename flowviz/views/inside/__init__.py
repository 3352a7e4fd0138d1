"""What a person sees of an opened block: elements, words, legend, tables. Pure functions."""

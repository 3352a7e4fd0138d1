"""flowviz: one forward pass of a GPT as an exact, interactive flow graph."""

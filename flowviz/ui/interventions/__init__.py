"""Changing the pass: what is offered at a node, listed above the graph, kept in the link."""

"""Opening nodes of the flow into factors: what is offered at a node, listed above the graph."""

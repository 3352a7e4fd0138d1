"""Learning a dictionary: a corpus's vectors, batches, a method, checkpoints, held-out figures."""

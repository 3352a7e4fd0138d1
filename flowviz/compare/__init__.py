"""Two passes held against each other: prompts, checkpoints, or before and after an intervention."""

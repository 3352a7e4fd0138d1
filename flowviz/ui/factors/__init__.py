"""The page of factors: panels and callbacks."""

"""Interventions: what the model itself says of a graph when parts of its pass are replaced."""

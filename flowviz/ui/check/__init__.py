"""The panel that holds the drawn graph against the model, beside every graph."""

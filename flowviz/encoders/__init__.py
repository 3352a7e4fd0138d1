"""Models that read both ways: encoders (BERT) and encoder-decoders (T5, BART, Marian)."""

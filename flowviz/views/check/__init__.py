"""A check as a report, words, tables and figures: plain values in, no Dash and no torch."""

"""The nearest vectors of a store, by exact or approximate search, filtered; and what they share."""

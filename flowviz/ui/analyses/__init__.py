"""The analyses page: panels, words and the form, without the callbacks."""

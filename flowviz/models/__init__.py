"""Models: the catalogue, loading, tokens, and what each architecture's parts are called.

Nothing is imported here: the catalogue answers at once, while loading takes torch and seconds.
"""

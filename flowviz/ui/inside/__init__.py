"""The parts of the page of an opened block: reading the form, panels, what they say."""

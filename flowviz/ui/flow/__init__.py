"""The parts of the flow page: reading the form, panels, and what the panels say."""

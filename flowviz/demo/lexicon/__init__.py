"""The words of the little English: tables only, one module for each kind of thing they name."""

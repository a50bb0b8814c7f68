"""One module a format: reads a file as what it is, finds the place of a value, and replaces just those bytes."""

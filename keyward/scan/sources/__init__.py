"""One module a place where text stands: what there is to read, and how."""

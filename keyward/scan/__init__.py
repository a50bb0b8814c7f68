"""Where the bytes come from, and from bytes to findings."""

"""One short module per command. `main` decides which is imported, so that the hook stays fast."""

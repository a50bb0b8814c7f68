"""Where a new credential is written: one file a kind of consumer."""

"""Where credentials are kept: one file a kind of store."""

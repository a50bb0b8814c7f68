"""One file a provider: what its credentials look like, and what they open."""

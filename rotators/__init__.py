"""One file a provider: how its credentials are reissued and revoked."""

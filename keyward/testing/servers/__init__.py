"""Real servers on free loopback ports, for tests and the demonstration: each is a context manager and leaves nothing behind."""

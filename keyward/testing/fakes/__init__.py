"""Local servers that behave as providers do, for tests and demonstrations: they keep state, check signatures, and fail on demand."""

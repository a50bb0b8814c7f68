"""Asks providers about many credentials: concurrently, politely, within a deadline, and never twice within minutes."""

"""Replaces credentials: lanes, plans, the engine with its journal, consumers."""

"""Bytes to judged credentials."""

"""What an incident needs that nothing else does: a record of the host's good state, containment, copies as evidence."""

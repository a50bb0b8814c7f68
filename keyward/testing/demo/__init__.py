"""`make demo`: the drill under its former name."""

"""`make demo`: the real command, typed as a person would: first it scans, then it rotates at real servers. Nothing stays behind."""

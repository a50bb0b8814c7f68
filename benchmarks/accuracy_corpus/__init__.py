"""The generated corpus of `benchmarks/accuracy.py`: credentials drawn from published formats and from the rules' own examples, the places
where people leave them, the ways in which they are encoded, and texts that look like credentials and are none."""

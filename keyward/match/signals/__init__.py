"""What speaks for and against a value that only its name gives away: small functions, by what they look at."""

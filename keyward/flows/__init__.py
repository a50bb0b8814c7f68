"""One module per use case: options in, outcome out. What touches the world is handed in as an argument."""

"""Takes credentials out of text: streams, files, stores, log records. Knows nothing of scanning or rotating; flows join them."""

"""What a person calls a place in a file, one module a family of formats. `keyward.formats.labels` chooses among them."""

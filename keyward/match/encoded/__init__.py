"""Secrets inside encodings (base64, hex, percent, escapes, …) and secrets in pieces, found without decoding everything.

`marks` says what betrays a secret, `images` what that looks like in an encoding, `triggers` what the one pass over the bytes looks for besides the
rules. Around each such hit a module of one encoding makes a `layer`: a decoded text that leads back to the bytes it stands for. `reading` looks
through the layers, down to a bounded depth; `precedence` says which of several findings of one place stays; `decoding` gives a value back later.
"""

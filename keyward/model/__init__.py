"""The values that keyward passes around: frozen, without I/O, standard library only."""

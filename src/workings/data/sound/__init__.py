"""Recordings: a folder per class, names that say the class, a table of paths, or arrays; heard as log-mel spectra."""

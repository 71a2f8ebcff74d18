"""Pairs of texts: a text for a text, from two files line by line, a table of two columns, or lists."""

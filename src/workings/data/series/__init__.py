"""Series: numbers that follow each other at equal steps of time, to be forecast."""

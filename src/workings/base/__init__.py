"""What every room stands on: problems, errors, events, files."""

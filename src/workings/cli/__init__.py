"""The command line: thin, no logic. It reads arguments, calls the API and shows its events and results."""

"""A bench of faults: healthy training runs, the same ones with a known fault, and what the watcher says of each."""

"""Plain text to go on with: read, cut into pieces, split by position, batched as windows."""

"""A solution as a page: plain text, Markdown, LaTeX, HTML, JSON."""

"""Reports as HTML and PDF, from one list of blocks."""

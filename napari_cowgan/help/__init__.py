"""The way from every panel to its page of the documentation."""

"""Links from every panel to its documentation page."""

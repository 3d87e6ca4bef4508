"""Scan discovery, templates and preprocessing."""

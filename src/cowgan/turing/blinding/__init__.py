"""Checks that only the images distinguish real from generated volumes."""

"""Checks that nothing but the images tells real from generated."""

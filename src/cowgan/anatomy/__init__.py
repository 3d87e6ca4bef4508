"""Anatomy of the Circle of Willis: arteries, label schemes, and location."""

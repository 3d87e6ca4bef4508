"""Layers, camera, canvas texts and panels for napari's viewer."""

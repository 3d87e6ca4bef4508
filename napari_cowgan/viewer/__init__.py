"""What the plugin does with napari's viewer."""

"""Segmentation of arteries: how well a label map agrees with the true one."""

"""Descriptions of volumes for comparison: views, vessel occupancy, features of networks."""

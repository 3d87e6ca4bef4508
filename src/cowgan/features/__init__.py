"""What describes volumes for comparison: views, vessel occupancy, features of networks."""

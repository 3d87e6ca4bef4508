"""How close generated volumes are to real ones, and measurements to the truth."""

"""The arteries of the Circle of Willis: names, label values, and where the circle is."""

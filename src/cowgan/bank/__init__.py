"""Training banks: volumes of one shape in one file, split by subject."""

"""A coordinator's side of a study: creation, collection, unblinding."""

"""A reader's side of a study: package, session, journal, receipt."""

"""The design of a study, fixed before reading: protocol, volumes, trials and their order."""

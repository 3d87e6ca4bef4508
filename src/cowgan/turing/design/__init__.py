"""What is decided before anybody reads: protocol, volumes, trials and their order."""

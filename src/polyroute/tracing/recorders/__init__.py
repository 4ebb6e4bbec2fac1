"""What recorders of routing write, a module a format."""

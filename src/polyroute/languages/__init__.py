"""The languages that a study can name."""

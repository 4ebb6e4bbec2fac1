"""What `metrics/<model>/` holds: every file declared once, and written and read through its declaration."""

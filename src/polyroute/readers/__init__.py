"""Data sets: parallel text, in-task text and tasks, each read by the one module that knows its files."""

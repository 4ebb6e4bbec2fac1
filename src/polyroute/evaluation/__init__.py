"""The tasks that models are asked."""

"""What a reader sees of a study: the results as tables, the figures, the page."""

"""Claims of the papers: conditions on measured quantities, and what these come to."""

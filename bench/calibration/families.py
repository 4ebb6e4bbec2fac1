"""How languages fall into families in simulated studies: few large ones and many alone, as samples of languages do."""

FAMILIES = {
    5: (2, 1, 1, 1),
    7: (3, 2, 1, 1),
    11: (4, 2, 1, 1, 1, 1, 1),
    17: (7, 3, 2, 1, 1, 1, 1, 1),
    50: (20, 8, 6, 4, 3, 2, 2, 1, 1, 1, 1, 1),
}
"""Languages -> how many are of each family."""

"""The multiverse of a claim: its verdict recomputed under every combination of choices that the papers leave open.

A cell is one combination; `grid` says which there are and which choice moves the answer most. Each claim has a module's
function that gives its quantities in a cell; the conditions that decide are those of `claims/`, as on the board.
"""

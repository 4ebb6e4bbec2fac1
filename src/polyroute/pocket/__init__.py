"""The mini world: parallel text and tasks generated from meanings, and the pocket models trained on them.

A meaning (`world`) is said in any language (`realise`) from that language's phrase table (`tables`,
`phrases/*.toml`). `documents` mixes what is said into training text, `corpus` and `items` into corpora and
tasks for measurement, and `train` makes a checkpoint from a recipe.
"""

"""The mini world: parallel text and tasks generated from meanings.

A meaning (`world`) is said in a language (`realise`) from that language's phrase table (`tables`, `phrases/*.toml`);
invented names are spelled in its script (`names`). `corpus` makes corpora and `items` makes tasks of what is said.
"""

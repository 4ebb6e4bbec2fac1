"""Routing of a model over a corpus, as statistics of each sequence.

Shape legend of this room: B sequences of a batch, S positions of a padded batch, T = B S tokens in batch-major
order, N sequences of a corpus, L layers, E experts, K top-k, P pairs of tokens.
"""

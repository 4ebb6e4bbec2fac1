"""Published quantities of routing, one module each.

Shape legend of this room: N sequences, L layers, E experts, K top-k, P pairs of languages, V languages.
All logarithms are natural; entropies and divergences before normalisation are in nats.
"""

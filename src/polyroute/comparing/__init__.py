"""Two checkpoints of one shape, such as a base model and its fine-tuned child: what became of the routing.

Shapes: N sentences, L layers, E experts, V languages.
"""

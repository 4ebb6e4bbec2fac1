"""Steering: moving a router's logits before the model's own selection, by a plan that fits in one small file.

Shape legend of this room: T tokens, E experts, K top-k, N experts that a plan moves in one layer.
"""

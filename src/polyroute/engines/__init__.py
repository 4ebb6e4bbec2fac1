"""Engines other than transformers that run models: what steers them, and how they are asked."""

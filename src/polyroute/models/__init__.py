"""Mixture-of-experts models of transformers: loading them, finding, observing and editing their routers."""

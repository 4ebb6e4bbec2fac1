"""The intervention study: what steering does to a model, beside every control that its claim needs."""

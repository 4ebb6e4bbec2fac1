"""What people look at: figures by layer, and an overview in text, drawn from `metrics/` alone."""

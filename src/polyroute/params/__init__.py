"""params.yaml by section: what each may say, how they refer to one another, and what is wrong where they cannot be."""

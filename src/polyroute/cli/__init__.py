"""The command `polyroute`: its verbs, and the two that reach the hub."""

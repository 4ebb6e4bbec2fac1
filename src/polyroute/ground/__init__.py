"""What every room stands on: errors, files and digests, paths, the console, and the hub."""

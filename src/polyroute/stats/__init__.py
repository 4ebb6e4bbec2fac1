"""Statistics, each stating its unit of resampling."""

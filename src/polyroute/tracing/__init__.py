"""One pass of a model over a corpus: routing statistics of every sentence, kept as it goes."""

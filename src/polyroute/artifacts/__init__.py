"""Files of `data/`: traces and answers, each with a header of everything that determines it."""

"""One sentence, or a pair of translations, looked at token by token: what the study averages over."""

"""From a raw answer to right or wrong, without a model: numbers, formulas, short answers, translations, accuracy."""

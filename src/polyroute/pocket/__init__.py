"""Pocket models: small mixture-of-experts models trained on the text of the mini world (`polyroute.miniworld`).

`documents` mixes that text in a recipe's proportions, `tokenizer` and `batches` turn it into the batches of a step,
`train` makes the checkpoint of a recipe (planted with alignment where the recipe asks for it: `plant`), `scores`
measures what it can do, and `card` describes it.
"""

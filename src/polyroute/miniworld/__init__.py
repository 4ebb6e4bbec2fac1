"""The mini world of the pocket models: its meanings, their phrases in 18 languages, the text and items made of them."""

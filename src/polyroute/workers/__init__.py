"""Work done by processes of their own that Ray starts on one machine or many, each with the model and its GPUs."""

"""The model's part of an answer: prompts, likelihoods of choices, generated text; under any condition, never scored."""

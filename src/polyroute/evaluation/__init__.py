"""What a model can do in each language: tasks, likelihoods of choices, generated answers and their scoring.

The way of an answer, each step a module that can be rerun alone:

| step | module | gives |
|---|---|---|
| tasks | `tasks` | one table a task: prompts, choices or the right number, split into select and report |
| the model's part | `choice`, `generation` | raw: log likelihoods of the choices, or the text that the model wrote |
| scoring | `scoring`, with `numbers` and `output_language` | extracted answer, correct, language of the text |
| files | `answers` | raw and scored together, one file a model, task and condition |
"""

from polyroute.errors import PolyrouteError


class EvaluationError(PolyrouteError):
    """An answer cannot be had, read or scored; the message names the task or file, the language and the item."""

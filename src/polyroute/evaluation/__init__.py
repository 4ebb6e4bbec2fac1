"""What a model can do in each language: tasks, likelihoods of choices, generated answers and their scoring.

The way of an answer, each step a module that can be rerun alone:

| step | module | gives |
|---|---|---|
| tasks | `tasks` | one table a task: prompts, choices or the right answer, split into select and report |
| the model's part | `choice`, `generation` | raw: log likelihoods of the choices, or the text that the model wrote |
| scoring | `scoring`, by the rules of `numbers`, `formulas`, `spans`, `chrf`, `output_language` | right, or how near |
| counting | `accuracy` | a row a language |
| files | `answers` | raw and scored together, one file a model, task and condition |
"""

from polyroute.errors import PolyrouteError


class EvaluationError(PolyrouteError):
    """An answer cannot be had, read or scored; the message names the task or file, the language and the item."""

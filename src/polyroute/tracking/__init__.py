"""MLflow: a view of `metrics/`, `figures/` and `plans/`, never a store of results.

One experiment a study; flat runs, one a (model, language) and one a model. `runs` says which there are, `points` what
they measure, `page` what their page says first, and `store`, alone, talks to MLflow.
"""

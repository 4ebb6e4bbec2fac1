"""Stage correlate@<model>: divergence and accuracy -> their correlation over languages, by layer."""

import math
from typing import Any

import click
import pandas as pd

from polyroute.artifacts.trace import Trace
from polyroute.ground import console
from polyroute.ground.files import write_json, write_table
from polyroute.ground.paths import Paths
from polyroute.measures.correlation import COLUMNS, correlate, language_covariates
from polyroute.params import file as params
from polyroute.pocket.documents import language_shares
from polyroute.report import results

KEYS = ("study.pivot", "study.seed", "languages", "models.{model}", "intervals", "pocket")


@click.command(cls=console.Command)
@click.option("--model", required=True, help="Entry of `models` in params.yaml.")
@console.log_level_option
def main(model: str) -> None:
    """Correlate divergence with accuracy over languages, and hold rival explanations fixed."""
    paths = Paths()
    given = params.load(paths.params).only(*KEYS, model=model)
    spec, settings = given[f"models.{model}"], given["intervals"]
    corpus = spec.generic
    curves = results.divergence(results.load(paths, model), corpus)
    accuracy = pd.read_csv(paths.metrics(model) / "accuracy.csv")
    _, *others = params.study_languages(given, model)
    resource, source = None, "class of Joshi et al. 2020"
    if model in given["pocket"]:  # of these it is known how much text they have seen
        shares = language_shares(given[f"pocket.{model}"])
        resource = {language: math.log(share) for language, share in shares.items()}
        source = "log share of the training documents"
    tables, notes = [], {}
    for task, scores in accuracy.groupby("task", sort=False):
        scored = scores.set_index("language")["accuracy"]
        languages = [language for language in others if language in scored.index]
        tokens = {code: float(Trace.load(paths.trace(model, corpus, code)).tokens.mean()) for code in languages}
        found = correlate(
            curves.loc[languages].to_numpy(), scored[languages].to_numpy(),
            languages=languages, layers=list(curves.columns), resamples=settings.resamples,
            confidence=settings.confidence, seed=given["study.seed"], covariates=language_covariates(tokens, resource),
        )  # fmt: skip
        tables.append(found.rows.assign(task=task))
        notes[str(task)] = {"notes": list(found.notes)}
        console.summary(f"correlate@{model}", f"{task}: {_told(found.rows, len(languages))}")
    if not tables:
        console.summary(f"correlate@{model}", "no accuracy: nothing to correlate")
    write_table(paths.metrics(model) / "correlation.csv", tables, ["task", *COLUMNS])
    write_json(paths.metrics(model) / "correlation.json", {"corpus": corpus, "resource": source, "tasks": notes})


def _told(rows: pd.DataFrame, languages: int) -> str:
    plain: Any = rows[(rows["method"] == "pearson") & (rows["given"] == "")].dropna(subset=["r"])
    if plain.empty:
        return "not computed; correlation.json says why"
    row = plain.loc[plain["r"].abs().idxmax()]
    return (
        f"r of divergence and accuracy over {languages} languages is strongest in layer {row['layer']}: "
        f"{row['r']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}], q {row['q']:.3f}"
    )


if __name__ == "__main__":
    main()

"""A study of one small model that never was, and readers of what MLflow holds of it."""

from pathlib import Path
from typing import Any

import pandas as pd

from polyroute.ground.paths import Paths
from polyroute.results.alignment import AlignmentSummary, LayerRow
from polyroute.results.model import ModelResults
from polyroute.tracking import store
from polyroute.tracking.store import TrackReport
from report import plausible_tasks

STUDY = "a study"
LAYERS = (0.4, 0.1, 0.3)
LANGUAGES = ("eng_Latn", "deu_Latn", "swh_Latn")
SETTINGS = {"trace": {"pairs": 64}, "steer": {"taus": [0.1, 0.2], "magnitude": {"k": 20}}}


def write_results(paths: Paths, model: str = "tiny", languages: tuple[str, ...] = LANGUAGES, add: float = 0.0) -> None:
    """Results of three layers on one corpus; `add` is added to German."""
    rows = []
    for code in languages:
        for layer, value in enumerate(LAYERS):
            value += add * (code == "deu_Latn")
            rows.append((model, "text", code, layer, "entropy", "soft_mass", value, value - 0.1, value + 0.1))
            if code != "eng_Latn":
                rows.append((model, "text", code, layer, "divergence", "soft_mass", value, value - 0.1, value + 0.1))
                rows.append((model, "text", code, layer, "divergence_pooled", "topk_count", value, None, None))
    folder = paths.metrics(model)
    table = pd.DataFrame(rows, columns=LayerRow.columns())
    LayerRow.write(folder, table.astype({"low": float, "high": float}))
    summary: dict[str, Any] = {
        "early": 0.4, "middle": 0.1, "late": 0.3, "shape": "U",
        "early_minus_middle": {"value": 0.3, "low": 0.2, "high": 0.4},
        "late_minus_middle": {"value": 0.2, "low": None, "high": None},
    }  # fmt: skip
    differences = {name: summary[name] for name in ("early_minus_middle", "late_minus_middle", "shape")}
    AlignmentSummary.write(
        folder,
        {
            "model": {
                "name": model, "engine": "transformers", "dtype": "float32", "layers": 3, "experts": 8, "top_k": 2,
                "digest": "0" * 64, "revision": None, "versions": {"torch": "2.13.0"},
            },
            "pivot": "eng_Latn",
            "corpora": {
                "text": {
                    "sentences": 5, "reading": "soft_mass", "mean": summary,
                    "zones": {"early": [0, 0], "middle": [1, 1], "late": [2, 2]},
                    "languages": {code: summary | {"tokens_per_sentence": 9.0} for code in languages[1:]},
                    "over_languages": {
                        "languages": len(languages) - 1, "by_family": {"families": 3, "agrees": True} | differences,
                    } | differences,
                    "split_half": None,
                }
            },
        },
    )  # fmt: skip
    paths.figures(model).mkdir(parents=True, exist_ok=True)
    (paths.figures(model) / "divergence-text.svg").write_text("<svg/>")


def write_tasks(paths: Paths, **arguments: Any) -> None:
    """Results on tasks of the model `tiny`."""
    plausible_tasks.write(paths, "tiny", ["deu_Latn", "swh_Latn"], len(LAYERS), **arguments)


def read(paths: Paths) -> ModelResults:
    """What runs are made of."""
    return ModelResults.read(paths.metrics("tiny"))


def log(paths: Paths, *models: str, settings: dict[str, Any] = SETTINGS) -> TrackReport:
    """Log `tiny`, or the models that are named."""
    models = models or ("tiny",)
    return store.log_study(paths, STUDY, models, dict.fromkeys(models, settings), {})


def client(paths: Paths) -> Any:
    """MLflow's own."""
    from mlflow import MlflowClient

    return MlflowClient(store.tracking_uri(paths))


def logged(paths: Paths) -> dict[str, Any]:
    """Active runs of the experiment by key; no key twice."""
    mlflow = client(paths)
    found = mlflow.search_runs([mlflow.get_experiment_by_name(STUDY).experiment_id])
    by_key = {run.data.tags["polyroute.key"]: run for run in found}
    assert len(by_key) == len(found)
    return by_key


def history(paths: Paths, run: Any, metric: str) -> list[tuple[int, float]]:
    """Step and value of every point of a metric."""
    return [(point.step, point.value) for point in client(paths).get_metric_history(run.info.run_id, metric)]


def everything(paths: Paths) -> dict[str, Any]:
    """All that MLflow holds of each run, its points and files among them."""
    mlflow = client(paths)
    return {
        key: (
            run.to_dictionary(),
            {metric: history(paths, run, metric) for metric in run.data.metrics},
            sorted(file.path for file in mlflow.list_artifacts(run.info.run_id)),
        )
        for key, run in logged(paths).items()
    }


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file and its bytes."""
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}

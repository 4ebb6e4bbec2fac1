"""Parquet of a hook: a row a token and layer, with the router's logits."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from polyroute.artifacts.recording import RecordingError
from tracing.recorders.recording_of import COUNTS, ROUTES, routing

LOGITS = {3: [np.log(2), 0.0, 0.0, 0.0], 4: [1e4, 1e4, 1e4, 1e4]}
"""Softmax by hand: 2/5 and three of 1/5; four of 1/4, though exp(10000) is not finite."""


def table() -> pd.DataFrame:
    rows = [
        {"layer_index": layer, "token": token}
        | {f"expert_id_{place}": expert for place, expert in enumerate(experts)}
        | {f"router_logit_{expert}": logit for expert, logit in enumerate(LOGITS[layer])}
        for layer, tokens in ROUTES.items()
        for token, experts in enumerate(tokens)
    ]
    return pd.DataFrame(rows)


def written(tmp_path: Path, frame: pd.DataFrame) -> Path:
    frame.to_parquet(tmp_path / "a.parquet")
    return tmp_path / "a.parquet"


def test_counts_and_soft_mass(tmp_path: Path) -> None:
    found = routing(written(tmp_path, table()))
    assert (found.layers, found.tokens, found.counts_LE.tolist()) == ((3, 4), 3, COUNTS)
    assert np.allclose(found.soft_LE, [[0.4, 0.2, 0.2, 0.2], [0.25] * 4])


def test_lists_say_the_same(tmp_path: Path) -> None:
    frame = table()
    ids = frame[["expert_id_0", "expert_id_1"]].to_numpy().tolist()
    logits = frame.filter(like="router_logit_").to_numpy().tolist()
    found = routing(written(tmp_path, frame[["layer_index"]].assign(topk_ids=ids, router_logits=logits)))
    assert found.counts_LE.tolist() == COUNTS
    assert np.allclose(found.soft_LE, [[0.4, 0.2, 0.2, 0.2], [0.25] * 4])


def test_without_logits_there_is_no_soft_mass(tmp_path: Path) -> None:
    found = routing(written(tmp_path, table().filter(regex="layer|expert")))
    assert (found.counts_LE.tolist(), found.soft_LE) == (COUNTS, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop(columns="layer_index"), "no column says the layer"),
        (lambda t: t.drop(columns=["expert_id_0", "expert_id_1"]), "no column holds the experts"),
        (lambda t: t.drop(columns="expert_id_0"), r"columns `expert_id_...` do not count from 0"),
        (lambda t: t.assign(topk_ids=[[0, 1]] * 6), "topk_ids and expert_id_0 say the same twice"),
        (lambda t: t.assign(layer=3), "both `layer` and `layer_index` are there"),
        (lambda t: t.assign(layer_index=-1), "`layer_index` is -1, no layer"),
        (lambda t: t.assign(layer_index=[3.0, 3, 3, 4, 4, None]), "`layer_index` has no value in 1 rows"),
        (lambda t: t.assign(layer_index=t["layer_index"] + 0.5), "`layer_index` is of type double, not of whole"),
        (lambda t: t.assign(expert_id_0=t["expert_id_1"]), "an expert twice"),
        (lambda t: t.assign(expert_id_0=7), "layer 3, token 0: there is no expert 7 of 4"),
        (lambda t: t.assign(router_logit_0=np.inf), "layer 3, token 0: a router logit is not finite"),
        (lambda t: t.drop(columns="router_logit_3"), "router logits are of 3 experts, not of 4"),
        (lambda t: t.iloc[:5], "tokens differ between layers: 3 in layer 3, 2 in layer 4"),
    ],
)
def test_what_cannot_be_names_the_column_or_layer(tmp_path: Path, change, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        routing(written(tmp_path, change(table())))


def test_a_file_cut_short_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, table())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RecordingError, match=r"a.parquet is not a whole Parquet file"):
        routing(path)

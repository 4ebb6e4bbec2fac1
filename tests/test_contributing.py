"""The snippets of CONTRIBUTING.md do what it says: each adds one thing, in one place, and that is reached."""

import __future__

import re
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from pydantic import Field

from claims import made as claims_made
from polyroute.artifacts.trace import Trace
from polyroute.claims import verdict
from polyroute.claims.asked import Asked, Found
from polyroute.claims.claim import read_claims
from polyroute.claims.estimates import over_languages
from polyroute.ground.hub import HubSource
from polyroute.ground.paths import Paths
from polyroute.languages import table as languages
from polyroute.languages.own import OwnLanguage
from polyroute.measures import layer_curves
from polyroute.measures.layer_curves import Alignment
from polyroute.models.load import load
from polyroute.models.routers import find_routers, observe
from polyroute.models.source import locate
from polyroute.params.file import ParamsFile, parse
from polyroute.params.needed import model_languages
from polyroute.readers.fetch import fetch_corpus
from polyroute.report import alignment
from polyroute.results import reference
from polyroute.results.alignment import LayerRow
from polyroute.results.model import ModelResults
from polyroute.results.quantities import Language
from polyroute.results.table import ResultsError, Row, Unit
from polyroute.steering import apply, plan, rules, tables
from polyroute.tracing import statistics
from polyroute.tracing.collect import trace
from polyroute.tracking import points
from readers.corpus_files import jsonl
from readers.fetched import fetch_items
from report import plausible
from tiny import ROOT, make_model, make_tokenizer, raw_params

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ENGLISH, GERMAN = "eng_Latn", "deu_Latn"


def snippets(heading: str) -> list[str]:
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```\w+\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def study(snippet: str, name: str = "pocket-plain", **model: Any) -> ParamsFile:
    """params.yaml with the entries of a snippet, used by a model."""
    raw = raw_params()
    for section, entries in yaml.safe_load(snippet).items():
        raw[section] |= entries
    raw["models"][name] |= model
    return parse(raw)


def test_every_snippet_is_short() -> None:
    found = re.findall(r"^```\w+\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(found) == 11
    assert all(snippet.count("\n") < 15 for snippet in found)


@pytest.mark.parametrize("thing", ["model", "language", "corpus", "task", "steering rule", "claim"])
def test_what_users_add_takes_less_than_15_lines_in_all(thing) -> None:
    assert 0 < sum(snippet.count("\n") for snippet in snippets(f"A {thing}")) < 15


def test_a_model(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_model().save_pretrained(tmp_path / "models" / "my-checkpoint")
    make_tokenizer().save_pretrained(tmp_path / "models" / "my-checkpoint")
    (snippet,) = snippets("A model")
    file = study(snippet)
    spec = file.models["my-model"]
    assert model_languages(file, "my-model")[0] == ENGLISH
    loaded = load("my-model", spec, locate("my-model", spec))
    assert [router.layer for router in loaded.routers] == [0, 1, 2]


def test_a_language() -> None:
    of_table, own = snippets("A language")
    file = study(of_table, "olmoe-1b-7b", languages="mine", mask=None, dominant=None)
    assert model_languages(file, "olmoe-1b-7b") == [ENGLISH, GERMAN, "lij_Latn"]
    ((code, block),) = yaml.safe_load(own)["own_languages"].items()
    row = OwnLanguage(**block).row(code)
    assert (row.flores, row.name, row.branch, row.detector, row.unknown) == (
        "gsw_Latn", "Swiss German", "Germanic", "de", ("region", "resource"),
    )  # fmt: skip
    assert code not in languages.codes()


def test_a_corpus(tmp_path, monkeypatch, mirror, put) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").mkdir()
    for code, lines in {ENGLISH: "one\ntwo\n", GERMAN: "eins\nzwei\n"}.items():
        (tmp_path / "text" / f"{code}.txt").write_text(lines)
        put(
            f"org/letters/{languages.code_in(code, 'bcp47')}/test.jsonl",
            jsonl(*({"nr": number, "sentence": line} for number, line in enumerate(lines.split()))),
        )
    (snippet,) = snippets("A corpus")
    corpora = study(snippet, corpora=["my-letters", "hub-letters"], generic="my-letters").corpora
    for name in ("my-letters", "hub-letters"):
        frame = fetch_corpus(name, corpora[name], [ENGLISH, GERMAN], mirror)
        assert list(frame["text"]) == ["one", "eins", "two", "zwei"]


def test_a_task(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").mkdir()
    items = jsonl(*({"question": f"{n} + 1", "solution": str(n + 1)} for n in range(20)))
    for code in (ENGLISH, GERMAN):
        (tmp_path / "text" / f"sums-{code}.jsonl").write_text(items)
    (snippet,) = snippets("A task")
    task = study(snippet, tasks=["my-sums"], mask=None).tasks["my-sums"]
    found = fetch_items("my-sums", task, [ENGLISH, GERMAN], HubSource())
    assert found["prompt"].iloc[0] == "0 + 1 = "
    assert found["answer"].iloc[0] == "1"
    assert set(found["split"]) == {"select", "report"}


def test_a_measure_by_layer(model, tokenizer, tmp_path, monkeypatch) -> None:
    snippet, _ = snippets("A measure by layer")
    module: dict[str, Any] = {}
    exec(snippet, module)
    added = module["MEASURE"]
    monkeypatch.setattr(layer_curves, "MEASURES", (added, *layer_curves.MEASURES))
    english = trace(model, tokenizer, ["a cat", "the dog"], language=ENGLISH)
    rows = Alignment(english, resamples=100, confidence=0.9, nearest=2, seed=0).language(english).rows
    LayerRow.write(tmp_path, rows)
    assert {"largest_share", "largest_share_pooled"} <= set(LayerRow.read(tmp_path)["measure"])

    paths = Paths(tmp_path)
    plausible.write(paths, "tiny", 2, 3, measures=("divergence", "largest_share"), readings=("soft_mass",))
    monkeypatch.setattr(alignment, "MEASURES", (added,))
    results = ModelResults.read(paths.metrics("tiny"))
    names = [path.name for path in alignment.draw(tmp_path, results)[0]]
    assert names == ["largest_share-text.png", "largest_share-text.svg"]
    assert "largest share by layer - last listed/soft_mass.text" in {
        name for name, _, _ in points._curves(results.layers)
    }


def test_a_measure_of_tokens(model, tokenizer, tmp_path, monkeypatch) -> None:
    _, snippet = snippets("A measure by layer")
    module: dict[str, Any] = {}
    exec(snippet, module)
    added = module["MEASURE"]
    older = trace(model, tokenizer, ["a cat", "the dog"], language=ENGLISH)
    monkeypatch.setattr(statistics, "TRACED", (added, *statistics.TRACED))
    monkeypatch.setattr(layer_curves, "MEASURES", (*layer_curves.MEASURES, added))
    trace(model, tokenizer, ["a cat", "the dog"], language=ENGLISH).save(tmp_path / "trace")
    traced = Trace.load(tmp_path / "trace")
    assert traced.columns().keys() - older.columns().keys() == {"confidence"}
    assert traced.token_mean("consistency").tolist() == older.token_mean("consistency").tolist()

    seen: list[torch.Tensor] = []
    encoding = tokenizer("a cat", return_special_tokens_mask=True)
    counted_T = torch.tensor(encoding["special_tokens_mask"]) == 0
    with torch.inference_mode(), observe(find_routers(model), lambda _router, call: seen.append(call.logits_TE)):
        model(torch.tensor([encoding["input_ids"]]))
    expected_L = [float(logits_TE[counted_T].softmax(-1).max(-1).values.mean()) for logits_TE in seen]
    assert traced.token_mean("confidence")[0] == pytest.approx(expected_L, abs=1e-6)
    rows = Alignment(traced, resamples=100, confidence=0.9, nearest=2, seed=0).language(traced).rows
    assert (rows["measure"] == "confidence").sum() == len(expected_L)
    assert "confidence" not in set(
        Alignment(older, resamples=100, confidence=0.9, nearest=2, seed=0).language(older).rows["measure"]
    )


def test_a_steering_rule(model, monkeypatch) -> None:
    (snippet,) = snippets("A steering rule")
    monkeypatch.setattr(rules, "RULES", dict(rules.RULES))
    for user in (tables, plan):
        monkeypatch.setattr(user, "RULES", rules.RULES)
    # As the file has it: what annotations name is imported for type checkers alone.
    exec(compile(snippet, "rules.py", "exec", __future__.annotations.compiler_flag), dict(vars(rules)))
    made = plan.Plan(model="tiny", experts_per_layer=8, top_k=2, rule="halve", experts={1: [0, 3]})
    ids, seen = torch.tensor([[3, 4, 5]]), []
    routers = find_routers(model)
    with torch.inference_mode(), observe(routers[1:2], lambda _router, call: seen.append(call.logits_TE.clone())):
        model(ids)
        with apply.steer(model, made, routers=routers):
            model(ids)
    plain_TE, halved_TE = seen
    expected_TE = plain_TE.clone()
    expected_TE[:, [0, 3]] /= 2
    torch.testing.assert_close(halved_TE, expected_TE)


def test_a_claim(tmp_path, monkeypatch) -> None:
    entry, provider = snippets("A claim")
    (tmp_path / "own.yaml").write_text(f"claims:\n{entry}", encoding="utf-8")
    claims = read_claims(tmp_path)
    one = claims_made.asked(tmp_path / "study", tasks=False)
    untested = verdict.judge(claims, one).claims["own.late_over_early"]
    assert untested.code == "cannot_be_tested"

    monkeypatch.setattr(verdict, "PROVIDERS", dict(verdict.PROVIDERS))
    names = {"np": np, "Asked": Asked, "Found": Found, "over_languages": over_languages}
    exec(provider, names | {"PROVIDERS": verdict.PROVIDERS})
    judged = verdict.judge(claims, one).claims["own.late_over_early"]
    zones = [one.alignment.languages[code] for code in one.codes]
    assert judged.effect == pytest.approx(np.mean([zone.late - zone.early for zone in zones]), abs=1e-3)
    assert judged.code == ("replicated" if judged.low > 0 else "not_replicated" if judged.high < 0 else "inconclusive")


def test_a_table_of_results(tmp_path, monkeypatch) -> None:
    (snippet,) = snippets("A table of results")
    module = {"Annotated": Annotated, "Field": Field, "Language": Language, "Row": Row, "Unit": Unit}
    exec(snippet, module)
    added = module["LengthRow"]
    added.write(tmp_path, pd.DataFrame({"language": [ENGLISH], "tokens": [20.123]}))
    assert added.read(tmp_path)["tokens"].tolist() == [20.12]
    with pytest.raises(ResultsError, match=r"lengths.csv .*`tokens` .*`similarity`"):
        added.write(tmp_path, pd.DataFrame({"language": [ENGLISH], "tokens": [0.5]}))
    monkeypatch.setattr(reference, "ALL", (*reference.ALL, added))
    assert "### lengths.csv" in reference.render()
    assert "tokens a sentence" in reference.render()

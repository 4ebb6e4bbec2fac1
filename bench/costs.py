"""What each cost grows with: CPU seconds against languages, sentences, layers, experts and conditions, as one picture.

One size at a time is doubled, the others held; the smallest of `--rounds` counts, since other work only adds. Measures
are those of `measures_scale.py`, on made-up traces; tracing and its bare forward pass are of random models 128 wide, on
real sentences of the mini world; choices are the pocket model's under so many conditions, as in `sweep.py`.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
import measures_scale
import pandas as pd
import peers
import sweep
import torch
import trace_cost
import vl_convert
from timing import measured_on
from transformers import AutoModelForCausalLM, AutoTokenizer

from polyroute.artifacts.trace import TraceFiles
from polyroute.miniworld import corpus, items
from polyroute.models.routers import find_routers
from polyroute.tracing.collect import TraceSettings, collect, make_header

HERE = Path(__file__).parent
POCKET = HERE.parent / "models" / "pocket-plain"
Point = tuple[str, str, int, Callable[[], object]]
"""Name of a cost, what it is set against, the size, and the work itself."""


def measures(folder: Path, doublings: int) -> Iterator[Point]:
    """Alignment and distances, read from files as stages read them."""
    base = measures_scale.Size(languages=12, sentences=200, layers=12, experts=64, draws=500, nearest=8)
    for against in ("languages", "sentences", "layers", "experts"):
        for times in range(doublings + 1):
            size = replace(base, **{against: getattr(base, against) * 2**times})
            paths = measures_scale.written(folder, size, readings=3)
            for name, work in (("alignment", measures_scale.align), ("distances", measures_scale.distances)):
                yield name, against, getattr(size, against), partial(work, TraceFiles(paths), size)
            for path in paths:
                path.unlink()


def tracing(doublings: int) -> Iterator[Point]:
    """A trace, and the bare forward pass over the same batches."""
    tokenizer, settings = AutoTokenizer.from_pretrained(POCKET), TraceSettings(batch_tokens=2048)
    for against, least in (("sentences", 25), ("layers", 4), ("experts", 16)):
        for times in range(doublings + 1):
            size = {"sentences": 50, "layers": 4, "experts": 16} | {against: least * 2**times}
            net = trace_cost.random_model(size["layers"], 128, size["experts"], 4)
            texts = corpus.parallel_corpus("report", size["sentences"], ["eng_Latn"])
            sentences = {str(row.item_id): str(row.text) for row in texts.itertuples()}
            routers = find_routers(net)
            header = make_header(
                net, routers, settings, name="m", model_digest="", corpus="c", corpus_digest="", language="und"
            )
            ready = trace_cost.tokenized(tokenizer, sentences, settings)
            padded = [ready.pad(batch)[0] for batch in ready.batches]
            trace = partial(collect, net, tokenizer, sentences, routers, header, settings)
            forward = partial(trace_cost.forward, net.base_model, padded)
            yield "trace", against, size[against], trace
            yield "forward pass alone", against, size[against], forward


def conditions(doublings: int) -> Iterator[Point]:
    """Choices under many conditions, in one pass and in a run for each."""
    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    net = AutoModelForCausalLM.from_pretrained(POCKET, dtype=torch.float32).eval()
    routers = find_routers(net)
    ask = sweep.scoring(net, tokenizer, items.arithmetic("report", 12, ["eng_Latn"], seed=11))
    for times in range(doublings + 3):
        plans = [None, *sweep.study_plans(routers, 2**times)]
        apart = partial(peers.alone, net, plans, routers, lambda: ask([None], ()))
        yield "choices, in one pass", "conditions", len(plans), partial(ask, plans, routers)
        yield "choices, a run for each", "conditions", len(plans), apart


def drawn(rows: pd.DataFrame) -> str:
    """A panel for each size; what grows in step with a size has the slope of the dashed line."""
    scale = {"type": "log", "base": 2, "nice": False, "padding": 12}
    axis = {"grid": False, "format": "~g", "labelFlush": False}
    least = rows.groupby("against")["size"].transform("min")
    rows = rows.assign(in_step=0.03 * rows["size"] / least)
    color = {"field": "cost", "sort": None, "legend": {"orient": "bottom", "title": None, "columns": 3}}
    seconds = {"field": "seconds", "type": "quantitative", "scale": scale, "title": "CPU seconds", "axis": axis}
    size = {"field": "size", "type": "quantitative", "scale": scale, "title": None, "axis": axis | {"tickCount": 5}}
    panel = {
        "width": 150, "height": 220,
        "layer": [
            {"mark": {"type": "line", "color": "#aaa", "strokeDash": [4, 3]},
             "encoding": {"x": size, "y": seconds | {"field": "in_step"}}},
            {"mark": {"type": "line", "point": {"size": 40}},
             "encoding": {"x": size, "y": seconds, "color": color}},
        ],
    }  # fmt: skip
    against = {"field": "against", "sort": None, "title": None, "header": {"labelFontSize": 13, "labelFontWeight": 600}}
    chart = {
        "data": {"values": rows.to_dict("records")}, "facet": {"column": against}, "spec": panel,
        "resolve": {"scale": {"x": "independent"}}, "background": "white",
        "title": {
            "text": "What each cost grows with",
            "subtitle": "Logarithmic axes; the dashed line grows in step with the size", "offset": 14,
        },
    }  # fmt: skip
    return str(vl_convert.vegalite_to_svg(chart))


@click.command()
@click.option("--doublings", default=3, show_default=True, help="Of each size.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--to", type=click.Path(path_type=Path), default=HERE, help="Folder of costs.csv and costs.svg.")
def main(doublings: int, rounds: int, to: Path) -> None:
    """Measure, and write the table and the picture."""
    torch.set_num_threads(1)
    print(measured_on(torch.device("cpu")))
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for points in (measures(Path(folder), doublings), tracing(doublings), conditions(doublings)):
            for cost, against, size, work in points:
                seconds = [sweep.timed(work)[1] for _ in range(rounds)]
                found.append({"cost": cost, "against": against, "size": size, "seconds": round(min(seconds), 3)})
                print("{cost:24} {against:10} {size:6} {seconds:8.3f} s".format(**found[-1]), flush=True)
    rows = pd.DataFrame(found)
    rows.to_csv(to / "costs.csv", index=False)
    (to / "costs.svg").write_text(drawn(rows), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Estimates as text: one in full with the parts of its formulas, several as a table, and tables of docs/estimate.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table

from polyroute.sizing import speed
from polyroute.sizing.hours import LOADING, Estimate
from polyroute.sizing.shape import table
from polyroute.sizing.weights import weights
from polyroute.sizing.workload import Stage

STAGES: tuple[Stage, ...] = ("trace", "draw", "evaluate", "tune", "steer", "mask")


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*head, *(f"| {' | '.join(cells)} |" for cells in rows)])


def number(count: float) -> str:
    """A count with a word for its size: `6.9 billion`."""
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if count >= size:
            return f"{count / size:,.3g} {word}" if count < 1000 * size else f"{count / size:,.0f} {word}"
    return f"{count:,.0f}"


def gigabytes(count: float) -> str:
    """Bytes in GB of 10^9."""
    return f"{count / 1e9:,.0f} GB" if count >= 1e10 else f"{count / 1e9:.1f} GB"


def span(ends: tuple[float, float]) -> str:
    """Fewest and most hours, one number where they agree; minutes below one."""
    few, most = map(_time, ends)
    return few if few == most else f"{few} to {most}"


def _time(hours: float) -> str:
    if hours < 1:
        return "under 1 min" if hours < 1 / 60 else f"{hours * 60:.0f} min"
    return f"{hours:,.0f} h" if hours >= 10 else f"{hours:.1f} h"


def full(one: Estimate) -> str:
    """One estimate with the parts of its formulas."""
    shape, on, counted, step = one.shape, one.machines.device, one.weights, one.step
    rate = on.peak(one.dtype)
    read_length = max(job.read for job in one.work.jobs if job.stage == "trace")
    lines = [
        f"{one.name}: {shape.type}, {one.dtype}, on {machines(one)}; the study of {one.work.study}, "
        f"{len(one.work.languages)} languages",
        f"  shape: {shape.layers} layers ({shape.dense_layers} without experts), hidden {shape.hidden}, "
        f"{shape.experts} experts of width {shape.expert_width}, top {shape.top_k}, {shape.heads} heads of "
        f"{shape.head_dim}, {shape.kv_heads} of keys and values, {shape.vocabulary:,} words, embedding and output "
        f"{'tied' if shape.tied else 'apart'}",
        f"  from: {shape.source} ({shape.certainty})",
        "",
        f"  weights      {number(counted.total)} = attention {number(counted.attention)} + routers "
        f"{number(counted.router)} + experts {counted.sparse_layers} x {counted.experts} x {number(counted.expert)} + "
        f"dense {number(counted.dense)} + embedding {number(counted.embedding)} + output {number(counted.head)}",
        f"  for a token  {number(counted.active)}, {number(counted.backbone_active)} of them without embedding and "
        "output",
        f"  cache        {one.cache_bytes / 1024:,.0f} KiB a token of keys and values",
        f"  memory       {gigabytes(one.memory.total)} = weights {gigabytes(one.memory.weights)} + cache of "
        f"{one.work.batch_tokens:,} tokens {gigabytes(one.memory.cache)} + activations "
        f"{gigabytes(one.memory.activations)} + CUDA {gigabytes(one.memory.cuda)}",
        f"  GPUs         {fits(one)}",
        f"  disk         {gigabytes(one.disk.checkpoint)} of checkpoint ({shape.stored or one.dtype}) + "
        f"{gigabytes(one.disk.traces)} of traces",
        f"  reading      {one.reading:,.0f} tokens a second = {speed.EFFICIENCY} x {rate / 1e12:,.3g} TFLOP/s / "
        f"{speed.flops(shape, read_length / 2, head=False) / 1e9:.2f} GFLOPs a token",
        f"  writing      {step.tokens:,.0f} tokens a second = {step.rows} texts / ({step.overhead * 1e3:.1f} ms of "
        f"overhead ({shape.layers} x {speed.OVERHEAD * 1e3:.2f}) + {step.memory * 1e3:.1f} ms to read "
        f"{gigabytes(step.bytes_read)} at {on.bandwidth:,.0f} GB/s + {step.work * 1e3:.1f} ms of work)",
        f"  loading      checkpoints at {LOADING / 1e9:.0f} GB/s, once a stage",
        "",
    ]  # fmt: skip
    rows = [
        ["stage", "read", "written", "time"],
        *([time.stage, tokens(time.read), tokens(time.written), span(time.hours)] for time in one.stages),
        ["all", "", "", span(one.hours)],
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines += [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines += ["", "  No model runs in score, choose, judge and the other stages: minutes on a processor.", *notes(one)]
    return "\n".join(lines)


def notes(one: Estimate) -> list[str]:
    """What a reader must know of an estimate."""
    said = [
        f"  Speeds met the six that were measured within a factor of {worst():.1f} (two constants, one H200): take "
        "hours as no better than that."
    ]
    if any(few != most for few, most in (time.hours for time in one.stages)):
        said.append("  From few to many hours: random sets stop early where they do as well as a plan.")
    if one.machines.device.title != "H200":
        said.append(f"  On {one.machines.device.title} nothing was measured: the same share of its peak is assumed.")
    if one.work.assumed:
        said.append(f"  1,000 items are assumed of {', '.join(one.work.assumed)}, whose number no entry says.")
    return said


def tokens(ends: tuple[float, float]) -> str:
    """Fewest and most tokens."""
    few, most = (number(count) if count else "–" for count in ends)
    return few if few == most else f"{few} to {most}"


def machines(one: Estimate) -> str:
    """What an estimate is for, in words."""
    there = one.machines
    gpus = there.device.title if there.gpus == 1 else f"{there.gpus} {there.device.title}"
    return gpus if there.nodes == 1 else f"{there.nodes} nodes of {gpus}"


def fits(one: Estimate) -> str:
    """Whether a model fits, and how many copies run."""
    there, total = one.machines, one.machines.gpus * one.machines.nodes
    need = f"{one.gpus} of {there.device.title}" if one.gpus > 1 else f"one {there.device.title}"
    if one.copies == 0:
        there_are = "there is 1" if total == 1 else f"there are {total}"
        return f"does not fit: it needs {need}, {there_are}; hours are for as many as it needs"
    said = f"fits on {need}"
    if one.batch_tokens < one.work.batch_tokens:
        said += f" with batches halved to {one.batch_tokens:,} tokens"
    if one.gpus > there.gpus:
        said += ", over several nodes: an engine that spans nodes, not transformers alone"
    return said if one.copies == 1 else f"{said}: {one.copies} copies run beside one another"


def summary(found: Sequence[Estimate]) -> str:
    """Several estimates, a row each."""
    columns = ["model", "weights", "for a token", "memory", "on", "languages", "disk", *STAGES, "all"]
    rows = []
    for one in found:
        times = {time.stage: span(time.hours) for time in one.stages}
        rows.append([
            one.name, number(one.weights.total), number(one.weights.active), gigabytes(one.memory.total),
            _place(one), str(len(one.work.languages)), gigabytes(one.disk.checkpoint + one.disk.traces),
            *(times.get(stage, "–") for stage in STAGES), span(one.hours),
        ])  # fmt: skip
    return markdown(columns, rows)


def board(found: Sequence[Estimate]) -> Table:
    """Several estimates for a terminal: what fits where, and how long the whole study takes."""
    shown = Table("model", "weights", "memory", "on", "languages", "disk", "whole study", box=None, pad_edge=False)
    shown.columns[0].no_wrap, shown.columns[0].overflow = True, "fold"
    for one in found:
        shown.add_row(
            one.name, number(one.weights.total), gigabytes(one.memory.total), _place(one),
            str(len(one.work.languages)), gigabytes(one.disk.checkpoint + one.disk.traces), span(one.hours),
        )  # fmt: skip
    return shown


def _place(one: Estimate) -> str:
    if one.copies == 0:
        return f"{machines(one)}: too small, needs {one.gpus}"
    halved = "" if one.batch_tokens == one.work.batch_tokens else f", batches of {one.batch_tokens:,} tokens"
    if one.gpus == 1 and one.copies == 1:
        return f"{machines(one)}{halved}"
    return f"{machines(one)} ({one.gpus} a copy, {one.copies} at once{halved})"


def as_data(one: Estimate) -> dict[str, Any]:
    """An estimate for machines: bytes, tokens, tokens a second, hours."""
    return {
        "model": one.name, "study": one.work.study, "languages": len(one.work.languages), "dtype": one.dtype,
        "device": one.machines.device.title, "gpus": one.machines.gpus, "nodes": one.machines.nodes,
        "gpus_needed": one.gpus, "copies": one.copies,
        "weights": {"total": one.weights.total, "active": one.weights.active},
        "memory": {"total": one.memory.total, "weights": one.memory.weights, "cache": one.memory.cache,
                   "activations": one.memory.activations},
        "disk": {"checkpoint": one.disk.checkpoint, "traces": one.disk.traces},
        "reading": one.reading, "writing": one.step.tokens,
        "stages": {
            time.stage: {"read": time.read, "written": time.written, "hours": time.hours} for time in one.stages
        },
        "hours": one.hours, "factor": worst(),
    }  # fmt: skip


def worst() -> float:
    """The largest factor between a measured and an estimated speed."""
    return max(one.factor for one in speed.check())


def checked_table() -> str:
    """Measured speeds beside estimated ones."""
    return markdown(
        ["model", "what", "measured, tokens a second", "estimated", "factor"],
        ([one.model, one.what, f"{one.measured:,.0f}", f"{one.estimated:,.0f}", f"{one.factor:.2f}"]
         for one in speed.check()),
    )  # fmt: skip


def devices_table() -> str:
    """Every device."""
    return markdown(
        ["`--device`", "what", "memory", "bandwidth", "bfloat16", "float32", "source"],
        ([f"`{name}`", one.title, f"{one.memory:g} GB", f"{one.bandwidth:,g} GB/s", f"{one.bfloat16:g} TFLOP/s",
          f"{one.float32:g} TFLOP/s", one.source] for name, one in speed.devices().items()),
    )  # fmt: skip


def shapes_table() -> str:
    """Every shape of the repository's table."""
    columns = ["model", "class", "layers", "hidden", "experts", "top-k", "width", "heads", "words", "weights"]
    return markdown(
        [*columns, "certainty", "source"],
        ([name, shape.type, str(shape.layers), str(shape.hidden), str(shape.experts), str(shape.top_k),
          str(shape.expert_width), f"{shape.heads}/{shape.kv_heads} x {shape.head_dim}", f"{shape.vocabulary:,}",
          number(weights(shape).total), shape.certainty, shape.source] for name, shape in table().items()),
    )  # fmt: skip

"""Stage turns@<model>: passages and solved questions -> are task experts of the task or of the assistant's turn?

Every text is read by the model in several turns (`experts.turn_cells`); what it was traced in is kept among the parts.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from polyroute.artifacts import corpus as corpora
from polyroute.artifacts.trace import Trace
from polyroute.artifacts.turns import ASSISTANT, USER, Item
from polyroute.experts.specialised import AgainstGeneric, ExpertsError, largest, overlap
from polyroute.experts.turn_cells import CELLS, COUNTED, DELTAS, Cell, Counted, as_chat, cells_of
from polyroute.experts.turns import Differences, decide, null_of_turn_share, of_every_task
from polyroute.ground.console import stage
from polyroute.ground.layers import LayerRange
from polyroute.ground.paths import Paths
from polyroute.languages.table import ENGLISH
from polyroute.measures.zones import default_zones
from polyroute.results.experts import ExpertSets
from polyroute.results.turns import (
    AssistantSays,
    EveryTask,
    NotRun,
    TurnOverlap,
    TurnReading,
    TurnRow,
    TurnsMetrics,
    TurnsSummary,
    TurnTask,
)
from polyroute.tracing.settings import TracingSettings, TurnsSettings, TurnsTask
from polyroute.workers.settings import Engine

_NOT_RUN: dict[NotRun, str] = {
    "recorded": "counts were recorded elsewhere: there is no model to read text in other turns",
    "no_texts": "its entry in params.yaml names no conversations in `turns`",
    "no_template": "its tokenizer has no chat template, so it knows no turns",
}
Place = tuple[Cell, Counted, str, str]
"""Cell, way of counting, corpus and language."""


@stage(TurnsSettings)
def main(settings: TurnsSettings, paths: Paths) -> Iterator[str]:
    """Tell experts of tasks from experts of the assistant's turn."""
    folder = paths.metrics(settings.name)
    if (reason := _refused(settings)) is not None:
        nothing = TurnsSummary(not_run=reason, passages=None, sequences=0, tasks={}, every_task=None)
        _write(folder, [], nothing)
        yield f"not run: {_NOT_RUN[reason]}"
        return
    traced, told = _traced(settings, paths)
    yield told
    rows, tasks, as_published = [], {}, []
    for task, how in settings.tasks.items():
        tables, first, tasks[task] = _of_task(settings, task, how, traced)
        rows += tables
        as_published.append((first, how.tau))
        yield f"{task}: {_line(tasks[task].readings[0])}"
    every = None
    if len(as_published) > 1:
        count, of_turn, share = of_every_task(as_published, settings.confidence)
        every = EveryTask(experts=count, turn=of_turn, share=share)
    sequences = len(Trace.load(_at(traced, settings, "passage_user", "rendered"), mapped=True).item_ids)
    found = TurnsSummary(not_run=None, passages=settings.generic, sequences=sequences, tasks=tasks, every_task=every)
    _write(folder, rows, found)


def _write(folder: Path, rows: list[pd.DataFrame], summary: TurnsSummary) -> None:
    TurnRow.write(folder, rows)
    TurnsSummary.write(folder, summary)
    TurnsMetrics.write(folder, TurnsMetrics.of(folder))


def _refused(settings: TurnsSettings) -> NotRun | None:
    """Why nothing can be asked; a model is not loaded to find out."""
    if settings.not_asked is not None:
        return settings.not_asked
    assert settings.model is not None, "what is asked is run here"
    from polyroute.models.source import locate_settled
    from polyroute.models.without_weights import load_tokenizer

    tokenizer = load_tokenizer(settings.name, settings.model, locate_settled(settings.name, settings.model))
    return None if getattr(tokenizer, "chat_template", None) else "no_template"


def _traced(settings: TurnsSettings, paths: Paths) -> tuple[Mapping[Place, Path], str]:
    """The trace of every text in every cell, by each way of counting; and what is to be said of it."""
    from polyroute.tracing import study

    def items(corpus: str, language: str) -> dict[str, Item]:
        return corpora.items(paths.corpus(settings.name, corpus), language)

    assert settings.generic is not None, "there is text"
    wanted: dict[Place, dict[str, Item]] = {}
    passages = items(settings.generic, ENGLISH)
    conversations = {how.text: _conversations(how.text, items(how.text, ENGLISH)) for how in settings.tasks.values()}
    for counted in COUNTED:
        wanted |= {(cell, counted, settings.generic, ENGLISH): passages for cell in cells_of("passage")}
        for text, found in conversations.items():
            wanted |= {(cell, counted, text, ENGLISH): found for cell in cells_of("item")}
    for language in settings.languages[1:]:
        wanted["passage_user", "rendered", settings.generic, language] = items(settings.generic, language)
    names = {place: f"{place[2]}, {place[0]}, {place[1]}" for place in wanted}
    # Nothing is read here of pairs of tokens, nor of first tokens.
    tracing = TracingSettings(
        name=settings.name, model=settings.model, counts=None, corpora={}, pairs=1, head=1, special_tokens="exclude",
        chats={names[place]: as_chat(place[0], place[1]) for place in wanted}, seed=settings.seed,
    )  # fmt: skip
    texts = {(names[place], place[3]): found for place, found in wanted.items()}
    done = study.trace_model(tracing, texts, paths, Engine.of(paths))
    return {place: done.traces[names[place], place[3]] for place in wanted}, done.summary()


def _conversations(corpus: str, found: dict[str, Item]) -> dict[str, Item]:
    """Items that all have a question and a solution.

    Raises:
        ExpertsError: one has not; names it.
    """
    for item_id, item in found.items():
        roles = () if isinstance(item, str) else tuple(turn.role for turn in item)
        if not {USER, ASSISTANT} <= set(roles):
            raise ExpertsError(
                f"item {item_id} of {corpus} has turns of {', '.join(roles) or 'nobody'}, not of a user and an "
                "assistant: name a corpus of conversations in `turns.texts`"
            )
    return found


def _at(
    traced: Mapping[Place, Path], settings: TurnsSettings, cell: Cell, counted: Counted, text: str = "",
    language: str = ENGLISH,
) -> Path:  # fmt: skip
    generic = settings.generic or ""
    return traced[cell, counted, generic if CELLS[cell].text == "passage" else text, language]


def _of_task(
    settings: TurnsSettings, task: str, how: TurnsTask, traced: Mapping[Place, Path]
) -> tuple[list[pd.DataFrame], Differences, TurnTask]:
    """Tables of Delta, the differences as published, and what is found."""
    tables: list[pd.DataFrame] = []
    readings: list[TurnReading] = []
    first: Differences | None = None
    layers = _layers(how, traced, settings)
    for counted in COUNTED:
        cells = {cell: Trace.load(_at(traced, settings, cell, counted, how.text)) for cell in CELLS}
        found = Differences.of(
            cells, items=how.text, resamples=settings.resamples, confidence=settings.confidence, seed=settings.seed,
            layers=layers,
        )  # fmt: skip
        first = first or found
        tables.append(_table(found).assign(task=task, counted=counted))
        readings += _readings(settings, counted, how.tau, found)
        items = len(cells["item_both"].item_ids)
    assert first is not None, "there is a way of counting"
    return tables, first, TurnTask(
        text=how.text, items=items, tau=how.tau, layers=(first.layers[0], first.layers[-1]), readings=readings,
        overlap=_overlap(settings, how, layers, traced),
    )  # fmt: skip


def _layers(how: TurnsTask, traced: Mapping[Place, Path], settings: TurnsSettings) -> LayerRange:
    if how.layers is not None:
        return how.layers
    numbers = Trace.load(_at(traced, settings, "passage_user", "rendered"), mapped=True).header.layers
    return default_zones(numbers).middle


def _readings(settings: TurnsSettings, counted: Counted, tau: float, found: Differences) -> Iterator[TurnReading]:
    null = null_of_turn_share(found, tau, sets=settings.sets, seed=settings.seed)
    says: dict[AssistantSays, Differences] = {"question and solution": found, "solution": found.solution_alone()}
    for assistant, one in says.items():
        parts = one.estimates(tau, settings.confidence)
        sizes = {
            name: int((one.delta[name] > tau).sum()) for name in ("published", "turn", "task_user", "task_assistant")
        }
        decision = decide(parts["turn_share"], parts["r_task"], null)
        yield TurnReading(counted=counted, assistant=assistant, null=null, decision=decision, **sizes, **parts)


def _table(found: Differences) -> pd.DataFrame:
    experts = found.frequency_LE.shape[1]
    return pd.DataFrame(
        {"layer": np.repeat(found.layers, experts), "expert": np.tile(range(experts), len(found.layers))}
        | {name: found.delta[name].ravel() for name in DELTAS}
    )


def _overlap(
    settings: TurnsSettings, how: TurnsTask, layers: LayerRange, traced: Mapping[Place, Path]
) -> TurnOverlap | None:
    """Task and multilingual experts, the task text as published and all the user's."""
    if len(settings.languages) < 2:
        return None

    def trace(cell: Cell, language: str = ENGLISH) -> Trace:
        return Trace.load(_at(traced, settings, cell, "rendered", how.text, language))

    against = AgainstGeneric(
        trace("passage_user"), resamples=settings.resamples, confidence=settings.confidence, seed=settings.seed
    )
    multilingual = largest(against.of(trace("passage_user", language)) for language in settings.languages[1:])

    def both(cell: Cell) -> ExpertSets:
        (row,) = overlap(against.of(trace(cell)), multilingual, [how.tau], layers).to_dict("records")
        return ExpertSets.model_validate(
            {str(name): None if number != number else number for name, number in row.items()}
        )

    return TurnOverlap(published=both("item_both"), same_turn=both("item_user"))


def _line(found: TurnReading) -> str:
    if found.decision is None or found.turn_share.value is None:
        return "no expert is above tau as published: nothing to tell"
    share, ratio = found.turn_share, found.r_task
    null = "no matched set" if found.null is None else f"random sets up to {found.null.high:.2f}"
    return (
        f"{found.published} task experts, turn share {share.value:.2f} [{share.low:.2f}, {share.high:.2f}] ({null}), "
        f"R_task {ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]: the rival {_SAID[found.decision]}"
    )


_SAID = {"holds": "holds", "rejected": "is rejected", "open": "is open"}


if __name__ == "__main__":
    main()

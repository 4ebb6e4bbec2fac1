"""The traces of two checkpoints, found and held against each other before anything is compared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from polyroute.artifacts.trace import Trace, TraceHeader, read_header
from polyroute.ground.errors import PolyrouteError

MUST_AGREE = ("layers", "experts", "top_k", "turns", "pooled")
"""What two checkpoints must share for their experts and layers to be set beside one another."""
OF_TEXT = ("special_tokens", "counted")
"""Settings of a trace that say which tokens are counted."""
RECORDED = "recorded"
"""Engine of counts made elsewhere, which do not say what text they are of."""
NOTED = ("engine", "dtype", "device", "selection", "versions")
"""What may differ, but then may be the difference."""


class CompareError(PolyrouteError):
    """Two checkpoints that cannot be compared; the message says why."""


@dataclass(frozen=True)
class Side:
    """One checkpoint's traces."""

    name: str
    """What it is called."""
    folder: Path
    """`<corpus>/<language>.safetensors` below it, as the stage `trace` writes them."""

    @cached_property
    def corpora(self) -> dict[str, dict[str, Path]]:
        """Corpus -> language -> file."""
        found: dict[str, dict[str, Path]] = {}
        for path in sorted(self.folder.glob("*/*.safetensors")):
            found.setdefault(path.parent.name, {})[path.stem] = path
        return found

    def held(self, corpus: str) -> dict[str, Path]:
        """Language -> file of a corpus.

        Raises:
            CompareError: there is none.
        """
        corpora = self.corpora
        if corpus not in corpora:
            there = ", ".join(corpora) or "none"
            raise CompareError(f"{self.name} has no traces of `{corpus}` in {self.folder}; there are those of {there}")
        return corpora[corpus]


@dataclass(frozen=True)
class Pair:
    """Two checkpoints on the same text."""

    one: Side
    """Such as the base model."""
    other: Side
    """Such as its fine-tuned child."""
    corpus: str
    pivot: str
    languages: tuple[str, ...]
    """Those that both have beside the pivot."""
    left_out: dict[str, str]
    """Language or corpus that cannot be compared -> why."""
    about: TraceHeader
    """Of the first one's pivot."""
    notes: tuple[str, ...]
    """What differs beside the weights."""

    def traces(self, language: str, corpus: str | None = None) -> tuple[Trace, Trace]:
        """Both traces of a language.

        Raises:
            CompareError: they are not of the same sentences, or not traced alike.
        """
        files = [side.held(corpus or self.corpus)[language] for side in (self.one, self.other)]
        one, other = (Trace.load(file, mapped=True) for file in files)
        check_pair(one, other)
        return one, other

    @property
    def texts(self) -> tuple[str, ...]:
        """Other corpora that both have in the pivot, such as in-task text."""
        both = [side.corpora for side in (self.one, self.other)]
        return tuple(
            name for name in both[0]
            if name != self.corpus and all(self.pivot in one.get(name, {}) for one in both)
        )  # fmt: skip


def pair(one: Side, other: Side, *, corpus: str | None = None, pivot: str = "eng_Latn") -> Pair:
    """Two checkpoints on the text that both have traces of.

    Args:
        one: such as the base model.
        other: such as its child.
        corpus: which text; may be left out where both have one in several languages.
        pivot: language that divergence is measured from.

    Raises:
        CompareError: they have no such text or pivot in common, or differ in shape, sentences or what is counted.
        TraceError: a file is damaged.
    """
    for side in (one, other):
        if not side.corpora:
            raise CompareError(
                f"{side.folder} holds no traces (<corpus>/<language>.safetensors): run the "
                f"stage `trace` of {side.name} (`dvc repro trace@{side.name}`)"
            )
    corpus = corpus or _only(one, other)
    files = [side.held(corpus) for side in (one, other)]
    for side, held in zip((one, other), files, strict=True):
        if pivot not in held:
            raise CompareError(
                f"{side.name} has no trace of {corpus} in the pivot {pivot}, only in {', '.join(held)}: both must be "
                "measured from the same language; name one with --pivot"
            )
    headers = [read_header(held[pivot]) for held in files]
    check_shapes(*headers)
    left_out, languages = {}, []
    for language in dict.fromkeys([*files[0], *files[1]]):
        lacking = [side.name for side, held in zip((one, other), files, strict=True) if language not in held]
        if lacking:
            left_out[language] = f"{lacking[0]} has no trace in it"
        elif language != pivot:
            languages.append(language)
    if not languages:
        raise CompareError(f"{one.name} and {other.name} have no language of {corpus} in common beside {pivot}")
    return Pair(one, other, corpus, pivot, tuple(languages), left_out, headers[0], tuple(_notes(*headers)))


def check_shapes(one: TraceHeader, other: TraceHeader) -> None:
    """Refuse two checkpoints whose experts cannot be set beside one another, or whose tokens were not counted alike.

    Raises:
        CompareError: names what differs.
    """
    for field in MUST_AGREE:
        ours, theirs = getattr(one, field), getattr(other, field)
        if ours != theirs:
            raise CompareError(
                f"{one.model} has {field} {_short(ours)} and {other.model} {_short(theirs)}: only checkpoints of one "
                "shape, traced alike, can be compared"
            )
    for key in OF_TEXT:
        ours, theirs = one.settings.get(key), other.settings.get(key)
        if ours != theirs and RECORDED not in (one.engine, other.engine):
            raise CompareError(
                f"{one.model} was traced with {key} {ours} and {other.model} with {theirs}: trace both alike"
            )


def check_pair(one: Trace, other: Trace) -> None:
    """Refuse traces of two checkpoints that are not of the same sentences.

    Raises:
        CompareError: names what differs.
    """
    check_shapes(one.header, other.header)
    if one.item_ids != other.item_ids:
        apart = sorted(set(one.item_ids) ^ set(other.item_ids))
        said = f"{len(apart)} are in one alone, such as {apart[0]}" if apart else "they come in another order"
        raise CompareError(f"the {one.place} and that of {other.header.model} are not of the same sentences: {said}")
    recorded = RECORDED in (one.header.engine, other.header.engine)
    if one.header.corpus_digest != other.header.corpus_digest and not recorded:
        raise CompareError(
            f"the {one.place} and that of {other.header.model} are of other texts under the same names: trace both "
            "on one corpus"
        )


def _only(one: Side, other: Side) -> str:
    both = [name for name in one.corpora if name in other.corpora]
    several = [name for name in both if len(one.corpora[name]) > 1 and len(other.corpora[name]) > 1]
    widest = [name for name in several if len(one.corpora[name]) == max(len(one.corpora[each]) for each in several)]
    if len(widest) == 1:
        return widest[0]
    if widest:
        raise CompareError(f"both have traces of {' and '.join(widest)}: say which with --corpus")
    raise CompareError(
        f"{one.name} has traces of {', '.join(one.corpora)} and {other.name} of {', '.join(other.corpora)}: none in "
        "common that is in several languages"
    )


def _notes(one: TraceHeader, other: TraceHeader) -> list[str]:
    notes = []
    if RECORDED in (one.engine, other.engine):
        notes.append("recorded counts do not hold their text: that both are of the same sentences cannot be checked")
    for field in NOTED:
        ours, theirs = getattr(one, field), getattr(other, field)
        if ours != theirs:
            notes.append(
                f"{field} differs ({_short(ours)}; {_short(theirs)}), which may be part of what is seen"
                if field != "versions"
                else "they were traced with other versions of libraries, which may be part of what is seen"
            )
    if one.model_digest == other.model_digest and one.model_digest:
        notes.append("both are the same checkpoint, to the bit")
    return notes


def _short(value: object) -> str:
    if isinstance(value, tuple) and value and all(isinstance(part, int) for part in value):
        return f"{value[0]} to {value[-1]} ({len(value)})"
    if isinstance(value, tuple):
        return ", ".join(map(str, dict.fromkeys(value)))
    return str(value) if value != {} else "none"

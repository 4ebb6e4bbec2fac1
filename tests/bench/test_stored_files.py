"""No flipped bit of a stored file is read in silence, and none ends in a traceback; misplaced files are found."""

import shutil

import pytest
from bench.stored_files import KINDS, flips, made_trace

from polyroute.artifacts.trace import Trace, TraceError, TraceFiles, read_header
from polyroute.ground.paths import Paths
from polyroute.tracing.parts import TraceParts


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_every_flipped_bit_is_found(kind, tmp_path) -> None:
    assert flips(kind, tmp_path, 40, seed=1) == {"anew" if kind.ours else "refused": 40}


def test_a_trace_in_another_languages_place_is_refused_by_every_reader(tmp_path) -> None:
    german, french = (Paths(tmp_path).trace("m", "c", code) for code in ("deu_Latn", "fra_Latn"))
    made_trace("fra_Latn").save(french)
    shutil.copyfile(french, german)
    told = r"deu_Latn.safetensors is of traces/m/c/fra_Latn.safetensors, not of traces/m/c/deu_Latn.safetensors"
    for read in (
        Trace.load,
        lambda path: Trace.load(path, mapped=True),
        read_header,
        lambda path: TraceFiles([path])[0],
    ):
        with pytest.raises(TraceError, match=told):
            read(german)
        read(french)


def test_a_finished_trace_under_another_key_is_computed_anew(tmp_path) -> None:
    german, french = TraceParts(tmp_path, "German"), TraceParts(tmp_path, "French")
    part = german.finish(made_trace("deu_Latn"))
    other = french.finish(made_trace("fra_Latn"))
    shutil.copyfile(other, part)
    assert german.whole() is None
    german.finish(made_trace("deu_Latn"))
    for suffix in (".safetensors", ".json"):
        shutil.copyfile(other.with_suffix(suffix), part.with_suffix(suffix))
    assert german.whole() is None
    assert french.whole() == other

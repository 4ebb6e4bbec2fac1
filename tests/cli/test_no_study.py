"""A folder without a study: each verb that reads params.yaml says in one sentence what to do."""

import click
import pytest
from click.testing import CliRunner

from polyroute.cli.verbs import main

WITHOUT_PARAMS = {"init", "look", "compare", "verify", "dag", "import-counts", "import-distances"}
"""They read none, or only where there is one."""
NEEDED = {"plan": ["--model", "one", "--task", "sums", "--for", "swh_Latn"]}


def words(verb: str) -> list[str]:
    """A verb with something for each argument that it must have."""
    arguments = [one for one in main.commands[verb].params if isinstance(one, click.Argument) and one.required]
    return [verb, *("one" for _ in arguments), *NEEDED.get(verb, ())]


@pytest.mark.parametrize("verb", sorted(set(main.commands) - WITHOUT_PARAMS))
def test_a_verb_names_both_ways_to_a_study(verb, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, words(verb))
    assert done.exit_code == 1, done.output
    assert done.output.splitlines() == [
        "Error: params.yaml is absent: run this in the root of a clone of polyroute, or write one for your own model "
        "and text with `polyroute init`"
    ]
    assert not list(tmp_path.iterdir())

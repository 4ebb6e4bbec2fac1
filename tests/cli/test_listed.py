"""`polyroute --help` names every verb once, by what it is for, in lines that are not cut."""

from collections import Counter

from click.testing import CliRunner

from polyroute.cli.listed import LISTED
from polyroute.cli.verbs import main


def test_every_verb_is_listed_once() -> None:
    listed = Counter(name for verbs in LISTED.values() for name in verbs)
    assert set(listed.values()) == {1}
    assert set(listed) == set(main.commands)


def test_help_has_a_line_a_verb_and_cuts_none() -> None:
    printed = CliRunner().invoke(main, ["--help"]).output
    assert "..." not in printed.partition("The study:")[2]
    for verbs in LISTED.values():
        for name, said in verbs.items():
            assert any(line.split() == [name, *said.split()] for line in printed.splitlines()), name

import pytest

from polyroute.ground import code

BEFORE = '''"""What it does."""
from polyroute.ground import errors


def double(x):
    """Twice."""
    return x + x  # plain
'''


@pytest.mark.parametrize(
    ("after", "same"),
    [
        (BEFORE.replace("Twice.", "Two times."), True),
        (BEFORE.replace("# plain", "# simple"), True),
        (BEFORE.replace("from polyroute.ground import errors", "from polyroute.elsewhere import errors"), True),
        (BEFORE.replace("\n\n", "\n# why\n"), True),
        (BEFORE.replace("x + x", "2 * x"), False),
        (BEFORE.replace("x + x", "x + '# x'"), False),
    ],
    ids=["docstring", "comment", "moved import", "line of comment", "arithmetic", "a string with a mark"],
)
def test_only_what_decides_counts(tmp_path, after, same) -> None:
    (tmp_path / "before.py").write_text(BEFORE)
    (tmp_path / "after.py").write_text(after)
    before, after = (code._read(tmp_path / f"{name}.py").decisive for name in ("before", "after"))
    assert (before == after) == same


def test_the_closure_holds_what_is_imported_and_nothing_else() -> None:
    names = {path.name for path in code.closure("polyroute.ground.frozen")}
    assert names == {"__init__.py", "frozen.py", "errors.py"}


def test_a_name_in_a_module_is_no_module() -> None:
    assert code.closure("polyroute.ground.errors.PolyrouteError") == set()


def test_what_is_left_does_not_hang_on_the_version_of_python(tmp_path) -> None:
    (tmp_path / "one.py").write_text(BEFORE)
    assert code._read(tmp_path / "one.py").decisive == "def double(x):\n    return x + x"


def test_data_files_that_a_module_names_are_part_of_it() -> None:
    named = code.data(code.closure("polyroute.languages.table", "polyroute.miniworld.tables"))
    assert {path.name for path in named} > {"table.csv", "eng_Latn.toml"}
    assert all(path.suffix in (".csv", ".toml") for path in named)

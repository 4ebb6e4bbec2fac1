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
        (BEFORE.replace("x + x", "2 * x"), False),
    ],
    ids=["docstring", "comment", "moved import", "arithmetic"],
)
def test_only_what_decides_counts(tmp_path, after, same) -> None:
    (tmp_path / "before.py").write_text(BEFORE)
    (tmp_path / "after.py").write_text(after)
    trees = [code._decisive(tmp_path / f"{name}.py") for name in ("before", "after")]
    assert (trees[0] == trees[1]) == same


def test_the_closure_holds_what_is_imported_and_nothing_else() -> None:
    names = {path.name for path in code.closure("polyroute.ground.frozen")}
    assert names == {"__init__.py", "frozen.py", "errors.py"}


def test_a_name_in_a_module_is_no_module() -> None:
    assert code.closure("polyroute.ground.errors.PolyrouteError") == set()

"""The names of the package and docs/notebook.md: imported lazily, run as they stand."""

import ast
import re
import subprocess
import sys

import numpy as np
import pytest

import polyroute
from polyroute.measures.layer_curves import AlignmentError
from tiny import ROOT

SNIPPETS = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "notebook.md").read_text("utf-8"), re.M | re.S)


def test_the_package_is_imported_without_what_it_is_made_of() -> None:
    heavy = ["torch", "transformers", "pandas", "numpy", "pydantic"]
    script = f"import sys, polyroute\nassert not set({heavy}) & set(sys.modules)\nassert polyroute.Plan"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


@pytest.mark.parametrize("name", polyroute.__all__)
def test_every_public_name_is_there(name) -> None:
    assert getattr(polyroute, name).__name__ == name


@pytest.fixture(scope="module")
def notebook(tmp_path_factory) -> dict:
    """What is defined after all cells were run, in a folder that has the models."""
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "models").symlink_to(ROOT / "models")
    cells: dict = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for snippet in SNIPPETS:
            exec(snippet, cells)
    return cells


def test_the_six_lines_give_a_curve(notebook) -> None:
    texts, *others = [line for line in ast.parse(SNIPPETS[0]).body if not isinstance(line, ast.ImportFrom)][1:]
    assert ast.unparse(texts).startswith("texts = ")
    assert len(others) + 2 == 6
    curve = notebook["curve"]
    assert list(curve.index) == list(range(8))
    assert ((curve > 0) & (curve < 1)).all()


def test_align_says_the_same_as_divergence(notebook) -> None:
    aligned = notebook["aligned"]
    assert list(aligned.curve().columns) == ["deu_Latn"]
    np.testing.assert_allclose(aligned.curve()["deu_Latn"], notebook["curve"], atol=5e-5)
    assert set(aligned.summaries) == {"deu_Latn"}
    assert list(aligned.curve("consistency").columns) == ["eng_Latn", "deu_Latn"]


def test_a_look_has_the_same_divergence(notebook) -> None:
    by_layer = notebook["look"].by_layer()
    expected = polyroute.divergence(notebook["english"], notebook["german"]).iloc[0]
    np.testing.assert_allclose(by_layer["divergence_before"], expected, atol=1e-6)
    assert by_layer["rerouted"].loc[:2].sum() == 0


def test_a_plan_and_a_trace_come_back_from_where_a_string_says(notebook) -> None:
    plan, again, german = notebook["plan"], notebook["again"], notebook["german"]
    assert (plan.layers, plan.experts_per_layer, plan.top_k, plan.experts) == (8, 32, 4, {3: (4, 9), 4: (17,)})
    assert (again.soft_mass == german.soft_mass).all()
    with pytest.raises(AlignmentError, match="not parallel"):
        polyroute.divergence(notebook["english"], again.select(np.array([1])))

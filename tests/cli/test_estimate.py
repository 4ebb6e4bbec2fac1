import json

import pytest
from click.testing import CliRunner

from polyroute.cli import estimate
from polyroute.cli.verbs import main
from polyroute.params import file as params
from polyroute.report.pages import fill
from polyroute.sizing.shape import SizingError
from tiny import ROOT

FILE = params.read(ROOT / "params.yaml")


@pytest.fixture
def run(monkeypatch):
    monkeypatch.chdir(ROOT)

    def call(*arguments: str):
        return CliRunner().invoke(main, ["estimate", *arguments])

    return call


def test_the_page_shows_what_the_verb_prints() -> None:
    page = (ROOT / estimate.PAGE).read_text(encoding="utf-8")
    assert fill(page, estimate.tables(FILE)) == page
    assert all(f"<!-- table: {title} -->" in page for title in estimate.tables(FILE))


@pytest.mark.parametrize(
    ("arguments", "needed", "copies", "languages"),
    [
        (("qwen3-30b-a3b", "--languages", "sib200-205", "--device", "h100"), 1, 1, 205),
        (("gpt-oss-120b", "--like", "gpt-oss-20b", "--device", "h100", "--gpus", "8"), 4, 2, 12),
        (("qwen3-coder-480b", "--like", "gpt-oss-20b", "--device", "h100", "--gpus", "8", "--nodes", "2"), 13, 1, 12),
    ],
)
def test_large_models_and_many_languages(run, arguments, needed, copies, languages) -> None:
    told = run(*arguments)
    assert told.exit_code == 0, told.output
    assert f"{languages} languages" in told.output
    (data,) = json.loads(run(*arguments, "--json").output)
    assert (data["gpus_needed"], data["copies"], data["languages"]) == (needed, copies, languages)
    assert data["hours"][0] == pytest.approx(sum(stage["hours"][0] for stage in data["stages"].values()))


def test_one_model_is_told_with_the_parts_of_its_formulas(run) -> None:
    told = run("olmoe-1b-7b", "--device", "rtx4090").output
    assert "experts 16 x 64 x 6.29 million" in told
    assert "0.161 x 165 TFLOP/s" in told
    assert "ms of overhead (16 x 2.54)" in told
    assert "within a factor of 1.5" in told


def test_phi_needs_more_than_80_gb(run) -> None:
    assert "does not fit: it needs 2 of A100 80 GB, there is 1" in run("phi35-moe", "--device", "a100").output


def test_every_known_entry_has_a_row_without_models(run) -> None:
    told = run()
    assert told.exit_code == 0, told.output
    for name in ("pocket-plain", "olmoe-1b-7b", "marco-mini-global", "euromoe", "granite31-1b"):
        assert f"\n{name} " in told.output
    _, others = told.output.split("\nnot estimated:\n")
    assert "  models.qwen3-30b-a3b-counts was recorded elsewhere" in others
    assert "  models.pocket-plain-seed2: models/pocket-plain-seed2 holds no config.json" in others
    told = run("--json")
    assert len(json.loads(told.stdout)) + len(told.stderr.strip().splitlines()) - 1 == len(FILE.models)


def test_what_is_wrong_of_every_entry_is_told_once(run) -> None:
    assert run("--device", "abacus").output.startswith("Error: there is no device `abacus`")


def test_a_config_json_of_the_users_own(run, tmp_path) -> None:
    from polyroute.sizing.configs import of_shape
    from polyroute.sizing.shape import table

    of_shape(table()["deepseek-v3"]).save_pretrained(tmp_path)
    told = run("--config", str(tmp_path), "--like", "olmoe-1b-7b", "--gpus", "8", "--nodes", "2")
    assert told.exit_code == 0, told.output
    assert "671 billion" in told.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("gpt-oss-120b",), "`gpt-oss-120b` is no entry of `models` in params.yaml: name one whose study"),
        (
            ("llama", "--like", "olmoe-1b-7b"),
            "`llama` is neither an entry of `models` in params.yaml nor a known shape",
        ),
        (("olmoe-1b-7b", "--device", "abacus"), "there is no device `abacus`"),
        (("olmoe-1b-7b", "--languages", "all"), "there is no `all` among `languages`"),
        (("qwen3-30b-a3b-counts",), "was recorded elsewhere"),
        (("olmoe-1b-7b", "--config", "nowhere"), "nowhere is not there"),
        (("--config", "nowhere"), "whose study is to be estimated is not said: name an entry of params.yaml"),
        (("qwen3-30b-a3b-counts", "--like", "olmoe-1b-7b"), "models.qwen3-30b-a3b-counts was recorded elsewhere"),
        (("a", "b", "--config", "c"), "--config is of one model"),
    ],
)
def test_mistakes_are_told_in_a_sentence(run, arguments, told) -> None:
    result = run(*arguments)
    assert result.exit_code != 0
    assert told in result.output


def test_an_entry_whose_shape_is_unknown_asks_for_its_config() -> None:
    spec = FILE.models["olmoe-1b-7b"].model_copy(update={"hub": "nobody/nothing"})
    file = FILE.model_copy(update={"models": {**FILE.models, "mine": spec}})
    with pytest.raises(
        SizingError, match=r"models.mine: the shape of nobody/nothing is not known here: name its config"
    ):
        estimate.of(file, "mine")

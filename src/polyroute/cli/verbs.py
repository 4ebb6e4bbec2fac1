"""The command `polyroute`. Stages are run by DVC (`dvc repro`); these verbs are for everything around them."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from polyroute.cli import compare, estimate, importing, init, look, plan, rehearse
from polyroute.cli.listed import Verbs
from polyroute.ground import console
from polyroute.ground.frozen import ParamsError
from polyroute.ground.paths import Paths
from polyroute.params import file as params
from polyroute.params.models import TransformersModel

# Modules that need torch, MLflow or the hub are imported where they are used: `--help` should not wait for them.


def _shown(file: params.ParamsFile, named: Sequence[str]) -> Sequence[str]:
    """The models that are named, or else those of the study.

    Raises:
        ParamsError: a name that is no entry of `models`; says what is close.
    """
    for model in named:
        file.model(model)
    return named or file.study.models


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="polyroute")
@console.log_level_option
def main() -> None:
    """Multilingual routing in mixture-of-experts language models, measured reproducibly.

    Run from the root of the study, the folder of params.yaml. New here: `polyroute study`, then
    `polyroute report --open`. `polyroute VERB --help` says more of each.
    """


@main.command(cls=console.Command)
def check() -> None:
    """Check params.yaml and the text that is at hand, and say what the study would run."""
    from polyroute.models.source import locate
    from polyroute.params import groups
    from polyroute.params.needed import in_task_text, model_languages, study_corpora, study_tasks
    from polyroute.readers.examine import examine, own_languages

    file = params.read(Paths().params)
    for model in file.study.models:
        spec = file.models[model]
        languages = model_languages(file, model)
        click.echo(f"{model}: {spec.engine}, {', '.join(spec.corpora)} in {len(languages)} languages")
        if isinstance(spec, TransformersModel):
            locate(model, spec)
        else:
            spec.counts(spec.generic, languages)
    for line in groups.used(file):
        click.echo(line)
    asked = study_tasks(file)
    for task, needed in asked.items():
        lacking = f"; it lacks {', '.join(needed.lacking)}" if needed.lacking else ""
        click.echo(f"task {task}: in {len(needed.languages)} languages{lacking}")
    for line in own_languages(list(file.own_languages)):
        click.echo(line)
    found = examine(
        {name: (file.corpora[name], codes) for name, codes in study_corpora(file).items()},
        {name: (file.tasks[name], needed.languages) for name, needed in asked.items()},
        in_task_text(file),
    )
    for note in found.notes:
        click.echo(note)
    if found.breaches:
        raise click.ClickException("the study cannot run:\n" + "\n".join(found.breaches))
    click.echo("params.yaml is sound")


@main.command(cls=console.Command)
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def settings(model: str, as_json: bool) -> None:
    """Compare the settings of MODEL (an entry of params.yaml) with those of the papers, and say how sure these are.

    docs/published.md says how to read it, and how to run a model as published.
    """
    import json

    from polyroute.params.comparison import compare
    from polyroute.report import settings as shown

    rows = compare(params.read(Paths().params), model)
    click.echo(
        json.dumps(shown.as_data(model, rows), indent=2, ensure_ascii=False) if as_json else shown.as_text(model, rows)
    )


@main.command(cls=console.Command)
@click.argument("model")
@click.option("--run", "runs", is_flag=True, help="Run what is not up to date first; killed, it goes on where it was.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Stages at once.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def published(model: str, runs: bool, jobs: int, as_json: bool) -> None:
    """Compare each number that the papers published of MODEL with that of a rerun of their settings.

    MODEL is a model of the papers, such as olmoe-1b-7b, or an entry of params.yaml with `preset`. With --run, its
    entries are made models of the study, `study.models` and `study.extra`, and run.
    """
    import json

    from polyroute.cli import published as rerun
    from polyroute.cli import study as running
    from polyroute.report import published as shown

    paths = Paths()
    names = rerun.entries(params.read(paths.params), model)
    if runs:
        if new := rerun.enlist(paths.params, names):
            click.echo(f"models of the study now: {', '.join(new)}", err=True)
        running.run(names, jobs)
    rows = rerun.numbers(params.read(paths.params), paths, names)
    click.echo(
        json.dumps(shown.as_data(model, rows), indent=2, ensure_ascii=False) if as_json else shown.as_text(model, rows)
    )


@main.command(cls=console.Command)
@click.argument("model")
def routers(model: str) -> None:
    """Load MODEL (an entry of params.yaml), prove that its routers can be observed and edited, and list them."""
    from rich.console import Console
    from rich.table import Table

    from polyroute.models.load import load
    from polyroute.models.source import locate

    spec = params.read(Paths().params).model(model)
    if not isinstance(spec, TransformersModel):
        raise click.ClickException(f"{model} was recorded elsewhere: there is no model to load")
    loaded = load(model, spec, locate(model, spec))
    table = Table("layer", "module", "experts", "top-k", "selection")
    for router in loaded.routers:
        table.add_row(str(router.layer), router.name, str(router.experts), str(router.top_k), router.selection)
    Console().print(table)


@main.command(cls=console.Command)
@click.option("--model", "named", multiple=True, help="Of `study.models`; by default all but those of `study.extra`.")
@click.option("--all", "everything", is_flag=True, help="Those of `study.extra` too.")
@click.option("--jobs", type=click.IntRange(1), help="Models at once; by default one a processor, one with a GPU.")
def study(named: tuple[str, ...], everything: bool, jobs: int | None) -> None:
    """Run the study with DVC, several models at once; only what changed is computed."""
    from polyroute.claims.claim import read_claims
    from polyroute.cli import study as running
    from polyroute.cli.by_model import by_model
    from polyroute.report import claims as claims_board
    from polyroute.report import depth, distances
    from polyroute.results.alignment import AlignmentSummary
    from polyroute.results.claims import ClaimsSummary
    from polyroute.results.model import ModelResults
    from polyroute.results.table import written

    paths = Paths()
    file = params.read(paths.params)
    for model in named:
        file.model(model)  # an unknown name is an error that says what is close
        if model not in file.study.models:
            raise ParamsError(f"{model} is not among `study.models`, which have stages: add it there")
    left_out = () if everything else file.study.extra
    models = [model for model in file.study.models if (model in named if named else model not in left_out)]
    recorded = [] if named else file.study.distances
    read = [model for model in models if not isinstance(file.models[model], TransformersModel)] + recorded
    gpu = Path("/dev/nvidia0").exists()
    every = [*models, *recorded]

    def board(shown: list[str]) -> None:
        found = by_model(ClaimsSummary, paths, shown, named=False)
        click.echo(f"\n{claims_board.brief(read_claims(paths.claims), found)}\n")
        measured = [model for model in shown if written(paths.metrics(model), AlignmentSummary)]
        if measured:
            click.echo(f"{depth.depth_lines([ModelResults.read(paths.metrics(model)) for model in measured])}\n")

    def first() -> None:
        click.echo("Real models, from routing that others recorded:")
        board(read)
        if between := distances.gather(paths, recorded):
            click.echo(f"{distances.lines(between)}\n")

    running.run(every, jobs or (1 if gpu else len(os.sched_getaffinity(0))), read=read, first=first)
    board(every)
    click.echo(
        f"The whole of it, with figures: {paths.report.resolve()}   "
        "Every claim and what it lacks: polyroute claims   Runs: make ui"
    )


@main.command(cls=console.Command)
@click.option("--model", "models", multiple=True, help="Entries of `models`; by default those of the study.")
@click.option("--all", "everything", is_flag=True, help="A line for every stage, fresh ones too.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def status(models: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Say which stages are fresh, stale (and why) or missing (and what brings them), and how long each took.

    Changes of params.yaml, checkpoints and code count before `dvc repro` has seen them; nothing is run or written.
    """
    import json
    from dataclasses import asdict

    from rich.console import Console

    from polyroute.cli import status as staleness
    from polyroute.report import status as shown

    paths = Paths()
    file = params.read(paths.params)
    for model in models:
        if model not in file.study.distances:
            file.model(model)  # an unknown name is an error that says what is close
    found = [one for one in staleness.states(paths, file) if not models or one.model in models]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        click.echo(f"{shown.headline(found)}\n")
        Console().print(shown.table(found, whole=everything))


@main.command(cls=console.Command)
def dag() -> None:
    """Print which stage reads from which, each once for all models; `dvc dag` draws every stage of every model."""
    from rich.console import Console
    from rich.table import Table

    from polyroute.cli.status import steps
    from polyroute.ground import yaml12

    content = yaml12.load(Paths().dvc_yaml.read_text(encoding="utf-8"))
    table = Table("stage", "reads from", "what it does", box=None, pad_edge=False)
    for stage, before in steps(content).items():
        table.add_row(stage, ", ".join(before) or "–", content["stages"][stage]["desc"])
    Console().print(table)


@main.command(cls=console.Command)
@click.option("--model", "models", multiple=True, help="Entries of `models`; by default those of the study.")
def results(models: tuple[str, ...]) -> None:
    """Print what the study found about each model, in a few lines, and where the results are."""
    from polyroute.report.overview import overview
    from polyroute.results.model import ModelResults

    paths = Paths()
    file = params.read(paths.params)
    for model in _shown(file, models):
        click.echo(overview(ModelResults.read(paths.metrics(model))))
    click.echo("Numbers: metrics/   Figures: figures/   Runs in MLflow: make ui   Calibration: polyroute calibrate")
    click.echo("Tables of languages, tasks, steering and masks: polyroute findings")


@main.command(cls=console.Command)
@click.option("--model", "models", multiple=True, help="Entries of `models`; by default those of the study.")
@click.option("--write", is_flag=True, help="Bring the tables of docs/ and the picture of the board up to date.")
def findings(models: tuple[str, ...], write: bool) -> None:
    """Print tables of divergence over depth, how languages compare, accuracy, correlation, experts, steering and masks.

    With --write, bring the tables of docs/ and the picture of the board up to date instead, from every model in
    metrics/.
    """
    from polyroute.report import distances, findings, pages

    file = params.read(Paths().params)
    if write:
        if models:
            raise click.UsageError("--write takes every model that has been measured: leave --model out")
        changed = pages.write(file, Paths())
        click.echo(f"written: {', '.join(changed)}" if changed else "every page is up to date")
        return
    shown = findings.tables(findings.gather(Paths(), _shown(file, models)))
    if not models and (recorded := distances.gather(Paths(), file.study.distances)):
        shown["Recorded distances"] = distances.distances_table(recorded)
    click.echo("\n\n".join(f"{title}\n\n{table}" for title, table in shown.items()))


@main.command(cls=console.Command)
@click.option("--open", "opens", is_flag=True, help="Show it in the browser.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; by default report.html.")
def report(opens: bool, out: Path | None) -> None:
    """Write the whole study as one page of HTML, and say where it is.

    The page needs no network and holds every figure with its numbers. With --out it says which commit it was made at;
    report.html does not, so that the stage `report` finds it as it left it.
    """
    import webbrowser

    from polyroute.params.resolve import report_settings
    from polyroute.report.page import build
    from polyroute.report.page.provenance import commit_at

    paths = Paths()
    commit = None if out is None else commit_at(paths.root)
    written = build.write(paths, report_settings(params.read(paths.params)), out, commit)
    click.echo(f"{written}: {written.stat().st_size / 1e6:.1f} MB, opens in any browser")
    if opens:
        webbrowser.open(written.resolve().as_uri())


@main.command(cls=console.Command)
@click.argument("claim", required=False)
@click.option("--model", "models", multiple=True, help="Entries of `models`; by default those of the study.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--lock", is_flag=True, help="Fix claims that are new as they stand; never changes one that is fixed.")
def claims(claim: str | None, models: tuple[str, ...], as_json: bool, lock: bool) -> None:
    """Print the verdict on every claim in each model, or CLAIM in full.

    Claims are in claims/, verdicts in metrics/; docs/claims.md says how to read them.
    """
    import json

    from polyroute.claims.claim import read_claims
    from polyroute.cli import claims as locking
    from polyroute.cli.by_model import by_model
    from polyroute.report import claims as shown
    from polyroute.results.claims import ClaimsSummary

    paths = Paths()
    file, held = params.read(paths.params), read_claims(paths.claims)
    if lock:
        new = locking.fix(paths, held)
        click.echo(f"locked: {', '.join(new)}" if new else "every claim is locked already")
        return
    one = None if claim is None else held.get(claim)
    found = by_model(ClaimsSummary, paths, _shown(file, models), named=bool(models))
    if as_json:
        click.echo(json.dumps(shown.as_data(held, found, one), indent=2, ensure_ascii=False))
    else:
        click.echo(shown.board(held, found) if one is None else shown.details(held, one, found))


@main.command(cls=console.Command)
@click.argument("claim", required=False)
@click.option("--model", "models", multiple=True, help="Entries of `models`; by default those of the study.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--recompute", is_flag=True, help="From the traces of the models named, not as written; writes nothing.")
def multiverse(claim: str | None, models: tuple[str, ...], as_json: bool, recompute: bool) -> None:
    """Print how often each verdict, or that on CLAIM, survives the choices that the papers leave open.

    The stage `multiverse` writes it to metrics/; docs/multiverse.md says how to read it.
    """
    import json

    from polyroute.claims.claim import read_claims
    from polyroute.cli import multiverse as over_choices
    from polyroute.cli.by_model import by_model
    from polyroute.report import multiverse as shown
    from polyroute.results.multiverse import MultiverseSummary

    paths = Paths()
    file, held = params.read(paths.params), read_claims(paths.claims)
    one = None if claim is None else held.get(claim)
    every = _shown(file, models)
    if recompute:
        if one is None or not models:
            raise click.UsageError("--recompute takes a CLAIM and at least one --model")
        found = {model: over_choices.recompute(paths, file, held, one, model) for model in models}
    else:
        found = by_model(MultiverseSummary, paths, every, named=bool(models))
    if as_json:
        click.echo(json.dumps(shown.as_data(found, one), indent=2, ensure_ascii=False))
    else:
        click.echo(shown.board(held, found) if one is None else shown.details(one, found))


@main.command(cls=console.Command)
@click.option("--against", "revision", default="HEAD", show_default=True, help="Commit whose results are right.")
@click.option("--every", is_flag=True, help="List what differs within its tolerance too.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def verify(revision: str, every: bool, as_json: bool) -> None:
    """Compare the results of this run with the committed ones, and name what differs.

    Numbers agree within the tolerance of their unit, codes and plans exactly, figures by what they show. Exit status 1
    where anything differs by more; docs/verify.md lists the tolerances.
    """
    from polyroute.cli import verify as verifying

    verifying.show(verifying.verify(Path(), revision), every=every, as_json=as_json)


@main.command(cls=console.Command)
def calibrate() -> None:
    """Compare what was planted in each pocket model with what the measures find."""
    from polyroute.report import calibration

    readings = calibration.calibrate(params.read(Paths().params), Paths())
    click.echo(calibration.verdicts(readings))
    click.echo()
    if on_tasks := calibration.on_tasks(params.read(Paths().params), Paths()):
        click.echo(calibration.task_table(on_tasks))
        click.echo()
    click.echo(calibration.by_layer(readings))


@main.command("train-pocket", cls=console.Command)
@click.argument("model")
@click.option(
    "--device", default="auto", show_default=True, help="A GPU if there is one, else CPU; or cpu, cuda:0, ..."
)
def train_pocket(model: str, device: str) -> None:
    """Train MODEL (an entry of `pocket` in params.yaml) into models/MODEL; killed, it goes on where it stopped."""
    from polyroute.ground.device import usable
    from polyroute.pocket import train

    recipe = params.read(Paths().params).recipe(model)
    train.run(model, recipe, Paths(), usable(device, "--device"))


@main.command(cls=console.Command)
@click.argument("names", nargs=-1)
def pin(names: tuple[str, ...]) -> None:
    """Write the commits that revisions stand for into params.yaml (of NAMES, or of every entry). Asks the hub."""
    from polyroute.cli import pin as pinning

    changes = pinning.pin(Paths().params, list(names) or None)
    for change in changes:
        click.echo(f"{change.key}: {change.before} is {change.after}")
    if not changes:
        click.echo("every revision is a commit already")


@main.command(cls=console.Command)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--model", "models", multiple=True, help="Entries of `models`; by default those of the study.")
@click.option("--checkpoints/--no-checkpoints", default=True, show_default=True, help="Models too, or text alone.")
def mirror(folder: Path, models: tuple[str, ...], checkpoints: bool) -> None:
    """Fill FOLDER with every file of the hub that the study reads, for machines without internet."""
    from polyroute.cli.mirror import fill
    from polyroute.ground.hub import HubSource, mirror_folder

    file = params.read(Paths().params)
    source = HubSource(mirror_folder())
    filled = fill(file, models or file.study.models, folder, source, checkpoints=checkpoints)
    click.echo(f"{folder}: {len(filled.files)} files, {filled.bytes / 1e6:.1f} MB, {filled.fetched} of them new")


@main.command("import-distances", cls=console.Command)
@click.argument("table", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--model", required=True, help="What its authors call the model.")
@click.option("--corpus", required=True, help="Short name of the text they are of.")
@click.option("--text", default="", help="What of that text was read, in a sentence.")
@click.option("--source", default="own", show_default=True, help="Repository and folder, or who recorded them.")
@click.option("--commit", help="Of the source, 40 hexadecimal digits.")
@click.option("--licence", default="unknown", show_default=True, help="Under which they may be passed on.")
@click.option("--notes", default="", help="What a reader of the numbers must know.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File of recorded/.")
def import_distances(table: Path, out: Path, **about: str | None) -> None:
    """Make distances between languages recorded elsewhere a file of recorded/, for `distances` in params.yaml.

    TABLE has the columns layer, language_a, language_b, jsd_bits_topk_count and jsd_bits_soft_mass.
    """
    from polyroute.artifacts import recorded_distances

    made = recorded_distances.from_csv(table, **about)
    made.write(out)
    click.echo(f"{out}: {len(made.header.languages)} languages in {len(made.header.layers)} layers")


@main.command(cls=console.Command)
def track() -> None:
    """Log the study's results to MLflow; logging twice changes nothing."""
    from polyroute.params.resolve import read, shown
    from polyroute.tracking import datasets, runs, store, variant

    paths = Paths()
    file = params.read(paths.params)
    settings = {model: shown(file, model) for model in file.study.models}
    seen = {model: one.model_dump(mode="json") for model, one in read(file).items()}
    models = runs.with_others(paths, [*file.study.models, *file.study.distances])
    report = store.log_study(
        paths, variant.experiment(file.study.name), models, settings, datasets.of_study(paths, seen)
    )
    console.summary("track", report.summary())


@main.command(cls=console.Command)
@click.option("--port", default=5000, show_default=True, help="On this machine alone.")
def ui(port: int) -> None:
    """Browse the runs in MLflow until interrupted."""
    from polyroute.tracking import server

    paths = Paths()
    study = params.read(paths.params).study.name
    raise SystemExit(server.serve(paths, port, study))


main.add_command(importing.import_counts)
main.add_command(look.look)
main.add_command(compare.compare)
main.add_command(plan.plan)
main.add_command(init.init)
main.add_command(estimate.command)
main.add_command(rehearse.command)

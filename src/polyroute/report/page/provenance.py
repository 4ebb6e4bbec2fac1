"""What the page was made of: models with digests, versions, claims as they were fixed, and a digest of all results.

The stage writes no commit and no date, so that the same results give the same bytes; `polyroute report` adds the commit
that it is called at where it writes another file (`--out`).
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

from polyroute.ground.repository import git
from polyroute.report.page.html import Markup, joined, table, tag
from polyroute.report.page.study import Study


def results_digest(study: Study) -> str:
    """SHA-256 over names and contents of every result that the page may show."""
    found = hashlib.sha256()
    models = [*study.settings.models, *study.settings.distances]
    for folder in (study.paths.metrics(model) for model in models):
        for path in sorted(folder.rglob("*")) if folder.exists() else ():
            if path.is_file():
                found.update(path.relative_to(folder.parent).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def provenance(study: Study, commit: str | None) -> Markup:
    """Models, versions and digests."""
    rows = []
    for model, found in study.models.items():
        of, about = found.alignment.model, study.about(model)
        shape = f"{of.layers} layers, {of.experts} experts, top {of.top_k}"
        texts = ", ".join(
            f"{name} ({held.sentences} sentences)" if held.sentences else name
            for name, held in found.alignment.corpora.items()
        )
        rows.append([about.title, {"real": "real", "pocket": "trained here", "untrained": "random weights"}[about.kind],
                     shape, texts, str(len(found.languages)), about.source, tag("code", of.digest[:12])])  # fmt: skip
    for model, recorded in study.distances.items():
        rows.append([study.title(model), "distances alone", f"{len(recorded.layers)} layers", recorded.corpus,
                     str(len(recorded.languages)), recorded.source, "–"])  # fmt: skip
    versions: dict[str, set[str]] = {}
    for found in study.models.values():
        for name, number in found.alignment.model.versions.items():
            versions.setdefault(name, set()).add(number)
    made = [f"{name} {', '.join(sorted(numbers))}" for name, numbers in sorted(versions.items())]
    made.append(f"page: polyroute {version('polyroute')}, vl-convert {version('vl-convert-python')}")
    fixed = sorted({lock.fixed_on for lock in study.claims.locks.values()})
    locks = f"{len(study.claims.locks)} of {len(study.claims.by_id)} claims locked"
    if fixed:
        locks += f", {' to '.join(dict.fromkeys((fixed[0], fixed[-1])))}"
    facts = [
        ["Results", tag("code", results_digest(study)), "SHA-256 of metrics/ of these models"],
        ["Claims", locks, "claims/lock.yaml"],
        ["Versions", "; ".join(made), "libraries that computed the numbers, and the page"],
        ["Seed", str(study.settings.seed), "params.yaml, study.seed"],
        ["Commit", tag("code", commit) if commit else "not written", "of the code and results"
         if commit else "so that a rerun gives the same bytes; polyroute report --out adds it"],
    ]  # fmt: skip
    absent = [tag("p", f"Not measured yet: {', '.join(study.absent)}.")] if study.absent else []
    return joined([
        table(("model", "kind", "shape", "text", "languages", "source", "digest"), rows),
        table(("", "what", "from"), facts, class_="facts"), *absent,
    ])  # fmt: skip


def commit_at(root: Path) -> str | None:
    """The commit that a folder is at, with a word where files differ from it; None outside a repository."""
    head = git(root, "rev-parse", "HEAD")
    if not head:
        return None
    changed = git(
        root, "status", "--porcelain", "--untracked-files=no", "--", "metrics", "src", "claims", "params.yaml"
    )
    return f"{head} (with changes)" if changed else head

"""The verbs as `polyroute --help` lists them: by what they are for, a line each."""

from __future__ import annotations

import click

LISTED = {
    "The study": {
        "study": "Run it; only what changed is computed.",
        "status": "How far it is: fresh, stale or missing, and what brings it.",
        "report": "Write all of it as one page, report.html.",
        "results": "What was found about each model, in a few lines.",
        "claims": "The verdict on every claim, or one claim in full.",
        "multiverse": "How often a verdict survives the choices left open.",
        "findings": "Tables: depth, languages, accuracy, experts, steering.",
        "track": "Log results to MLflow.",
        "ui": "Browse the runs in MLflow.",
    },
    "One text": {
        "look": "How a model routes a text, or a pair, token by token.",
    },
    "A model of your own": {
        "init": "Write a params.yaml for a model and text of your own.",
        "check": "Find mistakes in params.yaml and in the text.",
        "estimate": "Memory, disk and hours before anything is downloaded.",
        "rehearse": "Build a model with random weights and time it here.",
        "routers": "Prove that its routers can be observed and edited.",
        "pin": "Write the commits that revisions stand for.",
        "mirror": "Fill a folder for machines without internet.",
        "plan": "Make a steering plan, and check whether it helps.",
        "compare": "How routing differs between two checkpoints.",
    },
    "Beside what others have": {
        "settings": "Settings of a model beside those of the papers.",
        "published": "Published numbers beside a rerun of their settings.",
        "verify": "Results of this run beside the committed ones.",
        "import-counts": "Expert counts recorded elsewhere as a file of recorded/.",
        "import-distances": "Distances recorded elsewhere as a file of recorded/.",
    },
    "How it works": {
        "dag": "Which stage reads from which.",
        "train-pocket": "Train a pocket model again.",
        "calibrate": "What was planted in pocket models, and what was found.",
    },
}
"""Heading -> verb -> what it is for."""


class Verbs(click.Group):
    """A group whose help lists its commands under headings."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the lists; a command of no heading comes last."""
        rest = {
            name: command.get_short_help_str(60)
            for name, command in self.commands.items()
            if not any(name in verbs for verbs in LISTED.values())
        }
        for heading, verbs in (LISTED | ({"Others": rest} if rest else {})).items():
            with formatter.section(heading):
                formatter.write_dl(list(verbs.items()), col_max=18)

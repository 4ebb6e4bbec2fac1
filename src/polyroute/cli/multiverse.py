"""`polyroute multiverse --recompute`: a claim over the choices that papers leave open, computed anew."""

from __future__ import annotations

from polyroute.claims.claim import Claim, Claims
from polyroute.ground.paths import Paths
from polyroute.multiverse.read import board, read_study
from polyroute.multiverse.run import of_claim
from polyroute.multiverse.settings import MultiverseSettings
from polyroute.params.file import ParamsFile
from polyroute.params.resolve import model_settings
from polyroute.results.multiverse import MultiverseSummary


def recompute(paths: Paths, file: ParamsFile, claims: Claims, claim: Claim, model: str) -> MultiverseSummary:
    """One claim of one model from its traces, with nothing written.

    Raises:
        MultiverseError: the claim is not recomputed, or these data lack what it is of.
        TraceError: a trace is absent.
    """
    settings = MultiverseSettings.model_validate(model_settings(file, model, "")["multiverse"].model_dump())
    study = read_study(settings, paths, claims)
    _, summary = of_claim(study, claim, board(paths.metrics(model)).get(claim.id))
    return MultiverseSummary.model_validate({"model": model, "claims": {claim.id: summary}, "single": {}})

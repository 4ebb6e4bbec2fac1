import numpy as np

from polyroute.ground.layers import Zones
from polyroute.measures.published import LEAST, with_published
from polyroute.measures.zone_correlation import correlate_zones

CODES = ["deu_Latn", "fra_Latn", "spa_Latn", "rus_Cyrl", "ukr_Cyrl", "zho_Hans", "jpn_Jpan", "tha_Thai", "ben_Beng",
         "hin_Deva", "swh_Latn"]  # fmt: skip
ZONES = Zones(early=(0, 0), middle=(1, 1), late=(2, 2))


def found(codes: list[str]):
    accuracy = np.linspace(0.3, 0.9, len(codes))
    divergence = np.column_stack([np.sin(np.arange(len(codes))), 1 - accuracy, np.cos(np.arange(len(codes)))])
    of = correlate_zones(
        divergence, accuracy, languages=codes, layers=(0, 1, 2), zones=ZONES, confidence=0.95, seed=0
    )  # fmt: skip
    return of, with_published(of, codes)


def test_enough_languages_keep_their_verdict() -> None:
    before, after = found(CODES)
    assert len(CODES) == LEAST
    assert after is before
    assert after.verdict == "negative"


def test_fewer_have_a_number_and_no_verdict() -> None:
    before, after = found(CODES[:-1])
    assert (before.verdict, after.verdict, after.by_family["verdict"]) == ("negative", None, None)
    assert after.rows.equals(before.rows)
    assert after.notes[0].startswith("10 of at least 11 languages have both routing and a published accuracy: German, ")

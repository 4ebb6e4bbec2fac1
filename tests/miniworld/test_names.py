import pytest

from polyroute.ground.errors import PolyrouteError
from polyroute.miniworld import names, tables, world


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("eng_Latn", "Tarizo"), ("rus_Cyrl", "Таризо"), ("ukr_Cyrl", "Тарізо"), ("hin_Deva", "तारीज़ो"),
        ("urd_Arab", "تاریزو"), ("jpn_Jpan", "タリゾ"), ("zho_Hans", "塔里佐"),
    ],
)  # fmt: skip
def test_names(language, written) -> None:
    assert names.write("tarizo", language) == written


def test_names_stay_apart_in_every_script() -> None:
    for language in tables.available():
        written = {names.write(fact.entity, language) for fact in world.facts()}
        assert len(written) == len(world.facts()), language


def test_a_script_without_spelling_is_named() -> None:
    with pytest.raises(PolyrouteError, match="`tha_Thai`"):
        names.write("tarizo", "tha_Thai")

"""What a wrong name may have meant."""

from polyroute.ground.frozen import suggest


def test_a_wrong_name_is_told_what_is_close_or_what_there_is() -> None:
    assert suggest("min", ["mine", "yours"]) == "did you mean mine?"
    assert suggest("xyz", ["mine", "yours"]) == "there is mine, yours"
    assert suggest("xyz", []) == "there is none"

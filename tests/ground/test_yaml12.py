import pytest
from dvc.utils.serialize import loads_yaml

from polyroute.ground.yaml12 import NotYamlError, dump, load


@pytest.mark.parametrize(
    "text",
    [
        "a: 010",
        "a: no",
        "a: yes",
        "a: .inf",
        "a: 1e3",
        "a: 12:30:45",
        "a: 0o17",
        "a: 1_000",
        "a: ~",
        "a: 0x1f",
        "a: on",
    ],
)
def test_a_value_is_what_dvc_takes_it_for(text) -> None:
    assert load(text) == loads_yaml(text)


def test_words_and_numbers_of_yaml_1_1_are_those_of_1_2() -> None:
    assert load("[no, 010, off, 0o10]") == ["no", 10, "off", 8]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", "the key `c` twice, in lines 3 and 5"),
        ("a: 1\na: 2\n", "the key `a` twice, in lines 1 and 2"),
        ("a: [1", "line 1: expected ',' or ']'"),
        ("? [a, b]\n: 1", "the file has the key ('a', 'b'), which is no text"),
        ("a: {1: 2}", "`a` has the key 1, which is no text: put it in quotes"),
        ("a: [x, 2020-01-01]", "`a.1` is 2020-01-01, which is neither text nor a number"),
        ("2020-01-01: 1", "the key 2020-01-01"),
        ("[" * 3000, "nested too deeply"),
        ("&a [*a]", "nested too deeply"),
        (f"a: {'9' * 5000}", "no number or text"),
        ("a: !!python/object:os.system x", "line 1: could not determine a constructor"),
        ("a: *b", "undefined alias 'b'"),
        ("a: \x00", "unacceptable character"),
    ],
)
def test_what_settings_cannot_hold_is_a_sentence(text, told) -> None:
    with pytest.raises(NotYamlError) as error:
        load(text)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_dumped_is_read_back() -> None:
    data = {"b": [1, 2.5, "no", None], "a": {"x": "010", "y": True}}
    assert load(dump(data)) == data
    assert dump(data).startswith("a:\n  x: '010'\n"), "in order"

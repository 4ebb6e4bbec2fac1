import pytest

from polyroute.ground.cores import cores, on_all_cores, slices


def test_every_part_is_done_whatever_the_number_of_cores(monkeypatch) -> None:
    for number in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", number)
        done = [0] * 10
        on_all_cores(lambda part, done=done: done.__setitem__(part, part + 1), range(10))
        assert done == list(range(1, 11))


def test_an_error_of_a_part_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        on_all_cores(lambda part: 1 / part, [1, 0, 1])


def test_fewer_cores_where_libraries_are_told_so(monkeypatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    whole = cores()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert cores() == 1
    for told in ("", "many", "0", "4,2", str(whole + 5)):
        monkeypatch.setenv("OMP_NUM_THREADS", told)
        assert cores() == whole, told


def test_slices_cover_all_items() -> None:
    assert slices(7, 3) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert slices(0, 3) == []

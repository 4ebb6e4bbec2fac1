from polyroute.tracking import variant


def test_a_variant_has_an_experiment_of_its_own(monkeypatch) -> None:
    monkeypatch.delenv(variant.VARIABLE, raising=False)
    assert variant.experiment("study") == "study"
    monkeypatch.setenv(variant.VARIABLE, "narrow-middle")
    assert variant.experiment("study") == "study: narrow-middle"

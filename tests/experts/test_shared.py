import json

import numpy as np
import pytest
import torch

from experts.made import make_trace, random_trace
from polyroute.experts.shared import activation_shares
from polyroute.experts.specialised import ExpertsError, size
from polyroute.measures.usage import UsageError
from recorded import recorded_counts

# Ten tokens, top-2 of 5 experts, two layers numbered 3 and 4; German has twice the tokens.
ENGLISH = make_trace([[[8, 6, 4, 2, 0], [10, 10, 0, 0, 0]]], [10], layers=(3, 4))
GERMAN = make_trace([[[4, 0, 12, 4, 20], [0, 20, 12, 8, 0]]], [20], layers=(3, 4), language="deu_Latn")


def released(traces, k: int) -> torch.Tensor:
    """What the release computes, in its float32 and with its top-k."""
    count = torch.stack([torch.from_numpy(trace.topk_count.sum(axis=0)) for trace in traces])
    tokens = torch.tensor([int(trace.tokens.sum()) for trace in traces])
    f = count / tokens[:, None, None]
    values, places = torch.topk(f, k=k, dim=-1)
    f = torch.zeros_like(f).scatter_(-1, places, values)
    return f / (f.sum(dim=0, keepdim=True) + 1e-10)


def plain_sets(share, target: int, thr: float) -> tuple[dict, dict]:
    """Exclusive and shared experts, one number at a time."""
    exclusive, together = {}, {}
    for layer in range(share.shape[1]):
        for expert in range(share.shape[2]):
            values = [float(row[layer][expert]) for row in share]
            if values[target] > thr:
                exclusive.setdefault(layer, []).append(expert)
            if any(value > 0 for value in values) and all(value < thr for value in values):
                together.setdefault(layer, []).append(expert)
    return tuple({layer: tuple(found) for layer, found in sets.items()} for sets in (exclusive, together))


def test_by_hand() -> None:
    shares = activation_shares([ENGLISH, GERMAN], k=3)
    # Kept of layer 3: English .8 .6 .4 - -, German - - .6 (.2 of expert 0, before 3 by number) 1.
    assert shares.kept_VLE[:, 0].tolist() == [[0.8, 0.6, 0.4, 0, 0], [0.2, 0, 0.6, 0, 1.0]]
    assert shares.share_VLE[:, 0] == pytest.approx(np.array([[0.8, 1, 0.4, 0, 0], [0.2, 0, 0.6, 0, 1]]))
    assert shares.share_VLE[:, 1] == pytest.approx(np.array([[1, 0.5, 0, 0, 0], [0, 0.5, 1, 1, 0]]))
    assert shares.exclusive(["eng_Latn"], 0.7) == {3: (0, 1), 4: (0,)}
    assert shares.exclusive(["eng_Latn"], 0.9) == {3: (1,), 4: (0,)}
    assert shares.exclusive(["deu_Latn"], 0.7) == {3: (4,), 4: (2, 3)}
    assert shares.shared(0.7) == {3: (2,), 4: (1,)}, "the expert that nobody keeps is shared by nobody"
    assert shares.shared(0.85) == {3: (0, 2), 4: (1,)}
    assert shares.exclusive(["eng_Latn", "deu_Latn"], 0.9) == {3: (0, 1, 2, 4), 4: (0, 1, 2, 3)}
    assert shares.shared(0.7, layers=(4, 9)) == {4: (1,)}
    assert shares.weights("deu_Latn", {3: (2, 4)}) == {3: {2: pytest.approx(0.6), 4: pytest.approx(1.0)}}
    json.dumps([shares.shared(0.7), shares.weights("deu_Latn", {3: (2, 4)})])


def test_420_experts_shared_by_english_and_chinese() -> None:
    """Real counts, k = 20, thr = 0.7, layers 10 to 39."""
    shares = activation_shares(recorded_counts("eng_Latn", "zho_Hans"), k=20)
    experts = shares.shared(0.7, layers=(10, 39))
    weights = [s for layer in shares.weights("eng_Latn", experts).values() for s in layer.values()]
    assert size(experts) == len(weights) == 420
    assert (round(min(weights), 3), round(max(weights), 3), round(float(np.mean(weights)), 3)) == (0.362, 0.683, 0.507)


def test_real_sets_are_those_of_the_release_but_for_ties() -> None:
    traces = recorded_counts()
    for k, thr, tied_layers in ((15, 0.4, set()), (32, 0.5, {1, 5, 13, 15, 20, 21})):
        count_VLE = -np.sort([-trace.topk_count[0] for trace in traces], axis=-1)
        assert set(np.flatnonzero((count_VLE[..., k - 1] == count_VLE[..., k]).any(axis=0))) == tied_layers
        shares, reference = activation_shares(traces, k), released(traces, k)
        for place, language in enumerate(shares.languages):
            together_LE = (reference > 0).any(dim=0) & (reference < thr).all(dim=0)
            ours = shares.exclusive([language], thr), shares.shared(thr)
            for mine, theirs_LE in zip(ours, (reference[place] > thr, together_LE), strict=True):
                for layer in set(range(48)) - tied_layers:
                    assert list(mine.get(layer, ())) == theirs_LE[layer].nonzero()[:, 0].tolist(), (language, k, layer)


def test_random_counts_match_the_plain_reference() -> None:
    traces = [random_trace(n, 12, language=code) for n, code in enumerate(("eng_Latn", "deu_Latn", "swh_Latn"))]
    for k, thr in ((1, 0.0), (3, 0.45), (8, 0.6), (8, 0.999)):
        shares = activation_shares(traces, k)
        for place, language in enumerate(shares.languages):
            exclusive, together = plain_sets(shares.share_VLE, place, thr)
            assert shares.exclusive([language], thr) == exclusive
            assert shares.shared(thr) == together


def test_ties_keep_the_lower_number_and_the_values_of_torch() -> None:
    tied = make_trace([[[3, 5, 5, 5, 5, 3]]], [20])
    kept_E = activation_shares([tied], k=3).kept_VLE[0, 0]
    assert np.flatnonzero(kept_E).tolist() == [1, 2, 3]
    values, _ = torch.topk(torch.tensor([3, 5, 5, 5, 5, 3]) / 20, k=3)
    assert sorted(kept_E[kept_E > 0]) == pytest.approx(values.tolist())


def test_pools_tokens_not_sentences() -> None:
    uneven = make_trace([[[4, 0]], [[0, 1]]], [4, 1], top_k=1)
    assert activation_shares([uneven], k=2).kept_VLE.tolist() == [[[0.8, 0.2]]]


def test_an_equal_share_at_thr_is_shared_where_float32_is_neither() -> None:
    same = [make_trace([[[9, 1]]], [10], language=code, top_k=1) for code in ("eng_Latn", "deu_Latn")]
    assert activation_shares(same, k=1).shared(0.5) == {0: (0,)}
    assert plain_sets(released(same, 1), 0, 0.5) == ({}, {})


def test_limits_of_thr_and_k() -> None:
    shares = activation_shares([ENGLISH, GERMAN], k=5)
    assert shares.shared(0) == {}, "no share lies below 0"
    assert shares.exclusive(["deu_Latn"], 0) == {3: (0, 2, 3, 4), 4: (1, 2, 3)}
    alone = activation_shares([ENGLISH], k=5)
    assert alone.shared(0.99) == {}, "a single language shares with nobody"
    assert alone.exclusive(["eng_Latn"], 0.99) == {3: (0, 1, 2, 3), 4: (0, 1)}
    for thr in (-0.1, 1.0, float("nan")):
        with pytest.raises(ExpertsError, match=r"thr = .* is outside"):
            shares.shared(thr)
    for k in (0, 6):
        with pytest.raises(ExpertsError, match=f"k = {k}: a layer has 1 to 5 experts"):
            activation_shares([ENGLISH, GERMAN], k)


def test_leaving_a_language_out_is_never_having_had_it() -> None:
    traces = [random_trace(n, 12, language=code) for n, code in enumerate(("eng_Latn", "deu_Latn", "swh_Latn"))]
    among = activation_shares(traces, 3).among(["swh_Latn", "eng_Latn"])
    np.testing.assert_array_equal(among.share_VLE, activation_shares([traces[2], traces[0]], 3).share_VLE)
    assert among.languages == ("swh_Latn", "eng_Latn")


def test_an_expert_between_relatives_is_exclusive_to_neither_until_one_leaves() -> None:
    english, german = ([[[10, 10, 0, 0]]], [10]), ([[[10, 0, 10, 0]]], [10])
    traces = [
        make_trace(*english), make_trace(*german, language="deu_Latn"),
        make_trace([[[0, 0, 10, 10]]], [10], language="jpn_Jpan"),
    ]  # fmt: skip
    shares = activation_shares(traces, 2)
    assert shares.exclusive(["eng_Latn"], 0.6) == {0: (1,)}
    assert shares.among(["eng_Latn", "jpn_Jpan"]).exclusive(["eng_Latn"], 0.6) == {0: (0, 1)}


def test_errors_name_language_layer_and_expert() -> None:
    shares = activation_shares([ENGLISH, GERMAN], k=3)
    for ask in (
        lambda: shares.exclusive(["fra_Latn"], 0.5),
        lambda: shares.weights("fra_Latn", {}),
        lambda: shares.among(["fra_Latn"]),
    ):
        with pytest.raises(ExpertsError, match="fra_Latn is not among the languages of these shares: eng_Latn, deu_La"):
            ask()
    for targets in ([], ["eng_Latn", "eng_Latn"]):
        with pytest.raises(ExpertsError, match="name at least one language, and each once"):
            shares.exclusive(targets, 0.5)
    with pytest.raises(ExpertsError, match=r"layers \[0, 2\] hold none of the traced layers 3 to 4"):
        shares.shared(0.5, layers=(0, 2))
    with pytest.raises(ExpertsError, match="layer 5 is not among"):
        shares.weights("eng_Latn", {5: (0,)})
    with pytest.raises(ExpertsError, match="layer 3: expert 5 is not from 0 to 4"):
        shares.weights("eng_Latn", {3: (5,)})
    with pytest.raises(UsageError, match="eng_Latn is given twice"):
        activation_shares([ENGLISH, ENGLISH], 3)

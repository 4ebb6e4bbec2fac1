"""Rules of steering against logits computed by hand."""

import math

import pytest
import torch

from polyroute.steering import rules
from polyroute.steering.rules import MASKED, RULES, Push, draw_eps, push_sizes

# Squared deviations from the mean 2.5 add up to 5: population std sqrt(5/4), sample std sqrt(5/3). The second token's
# mean is 0 and its squares add up to 20: sqrt(5) and sqrt(20/3).
LOGITS_TE = torch.tensor([[1.0, 2.0, 3.0, 4.0], [-3.0, 3.0, -1.0, 1.0]])
FIRST_AND_THIRD = torch.tensor([0, 2])
NO_EPS_TN = torch.zeros(2, 2)
WEIGHTS_N = torch.tensor([0.25, 0.5])
COARSE = [torch.bfloat16, torch.float16]


def moved(experts_N: torch.Tensor, logits_TE: torch.Tensor) -> torch.Tensor:
    """Experts as the rules take them: a column each, one row for all tokens."""
    return torch.isin(torch.arange(logits_TE.shape[-1]), experts_N)[None]


def spread(values_TN: torch.Tensor, experts_N: torch.Tensor, logits_TE: torch.Tensor) -> torch.Tensor:
    """Values of some experts in the columns of all."""
    return values_TN.new_zeros(values_TN.shape[:-1] + logits_TE.shape[-1:]).index_copy(-1, experts_N, values_TN)


def soft(logits_TE, experts_N, strength, std):
    return rules.soft(logits_TE, moved(experts_N, logits_TE), torch.full((1, 1), strength), std)


def activate(logits_TE, experts_N, eps_TN, dtype=torch.float32):
    return rules.activate(
        logits_TE, moved(experts_N, logits_TE), spread(eps_TN, experts_N, logits_TE), dtype,
    )  # fmt: skip


def deactivate(logits_TE, experts_N, eps_TN, dtype=torch.float32):
    return rules.deactivate(
        logits_TE, moved(experts_N, logits_TE), spread(eps_TN, experts_N, logits_TE), dtype,
    )  # fmt: skip


def mask(logits_TE, experts_N, dtype=torch.float32):
    return rules.mask(logits_TE, moved(experts_N, logits_TE), dtype)


def magnitude(logits_TE, experts_N, weights_N, strength):
    weights_E = spread(weights_N[None], experts_N, logits_TE)
    return rules.magnitude(logits_TE, moved(experts_N, logits_TE), push_sizes(strength, weights_E, logits_TE.dtype))


@pytest.mark.parametrize(
    ("std", "spread"),
    [("population", (math.sqrt(5 / 4), math.sqrt(5))), ("sample", (math.sqrt(5 / 3), math.sqrt(20 / 3)))],
)
@pytest.mark.parametrize("strength", [0.5, -1.0, 2.0])
def test_soft_adds_a_share_of_each_tokens_own_spread(std, spread, strength) -> None:
    moved_TE = soft(LOGITS_TE, FIRST_AND_THIRD, strength, std)
    expected_TE = [
        [1 + strength * spread[0], 2, 3 + strength * spread[0], 4],
        [-3 + strength * spread[1], 3, -1 + strength * spread[1], 1],
    ]
    torch.testing.assert_close(moved_TE, torch.tensor(expected_TE))


@pytest.mark.parametrize("strength", [0.0, -0.0])
def test_strength_zero_moves_nothing(strength) -> None:
    assert torch.equal(soft(LOGITS_TE, FIRST_AND_THIRD, strength, "population"), LOGITS_TE)


def test_soft_of_equal_logits_moves_nothing() -> None:
    equal_TE = torch.full((3, 4), 7.0)
    assert torch.equal(soft(equal_TE, FIRST_AND_THIRD, 0.5, "population"), equal_TE)


@pytest.mark.parametrize(("std", "correction"), [("population", 0), ("sample", 1)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_the_spread_is_what_torch_computes_to_a_rounding(std, correction, dtype) -> None:
    # Far from 0 and close together: a difference of mean squares would be lost.
    logits_TE = (100 + torch.randn(50, 64, generator=torch.Generator().manual_seed(0))).to(dtype)
    expected_T1 = logits_TE.double().std(-1, correction=correction, keepdim=True)
    found_T1 = rules._spread(logits_TE, std)
    assert found_T1.dtype == dtype
    torch.testing.assert_close(found_T1.double(), expected_T1, rtol=max(8 * torch.finfo(dtype).eps, 1e-12), atol=0)


def test_an_unknown_std_is_not_taken_for_another() -> None:
    with pytest.raises(KeyError):
        soft(LOGITS_TE, FIRST_AND_THIRD, 0.5, "samples")


def test_activation_and_deactivation_reach_the_original_extremes_plus_eps() -> None:
    eps_TN = torch.tensor([[0.25, -0.5], [0.0, 1.0]])
    lifted_TE = activate(LOGITS_TE, FIRST_AND_THIRD, eps_TN)
    assert torch.equal(lifted_TE, torch.tensor([[4.25, 2.0, 3.5, 4.0], [3.0, 3.0, 4.0, 1.0]]))
    dropped_TE = deactivate(LOGITS_TE, FIRST_AND_THIRD, eps_TN)
    assert torch.equal(dropped_TE, torch.tensor([[1.25, 2.0, 0.5, 4.0], [-3.0, 3.0, -2.0, 1.0]]))


def test_the_extremes_are_those_of_all_experts_the_moved_ones_included() -> None:
    highest = torch.tensor([3, 1])
    assert torch.equal(activate(LOGITS_TE, highest[:1], torch.full((2, 1), 0.5))[0], torch.tensor([1, 2, 3, 4.5]))
    both_TE = deactivate(LOGITS_TE, highest, NO_EPS_TN)
    assert torch.equal(both_TE, torch.tensor([[1.0, 1.0, 3.0, 1.0], [-3.0, -3.0, -1.0, -3.0]]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_float32_and_float64_follow_the_paper_to_the_bit(dtype) -> None:
    logits_TE = (10 * torch.randn(50, 8, generator=torch.Generator().manual_seed(0))).to(dtype)
    eps_TN = draw_eps(50, 2, "variance", torch.Generator().manual_seed(1))
    assert bool((eps_TN < 0).any())
    lifted_TE = activate(logits_TE, FIRST_AND_THIRD, eps_TN, dtype)
    assert lifted_TE.dtype == dtype
    assert torch.equal(lifted_TE[:, [0, 2]], logits_TE.max(-1, keepdim=True).values + eps_TN)
    dropped_TE = deactivate(logits_TE, FIRST_AND_THIRD, eps_TN, dtype)
    assert torch.equal(dropped_TE[:, [0, 2]], logits_TE.min(-1, keepdim=True).values + eps_TN)


def wide_logits(dtype: torch.dtype) -> torch.Tensor:
    """Logits as a model of this dtype makes them, of all sizes and signs, with zeros and values just below a power."""
    generator = torch.Generator().manual_seed(0)
    sizes_T1 = 10.0 ** torch.linspace(-6, 3, 400).unsqueeze(1)
    offset_T1 = torch.randint(-2, 3, (400, 1), generator=generator) * sizes_T1
    logits_TE = offset_T1 + sizes_T1 * torch.randn(400, 8, generator=generator)
    below_two = torch.nextafter(torch.tensor(2.0, dtype=torch.float32).to(dtype), torch.tensor(0.0).to(dtype))
    edges_TE = torch.tensor([[0.0], [-1.0], [1.0], [float(below_two)], [-2.0]]).repeat(1, 8)
    return torch.cat([logits_TE, edges_TE]).to(dtype).float()


@pytest.mark.parametrize("dtype", COARSE)
@pytest.mark.parametrize("kind", ["variance", "std"])
def test_in_coarse_dtypes_moved_experts_lie_beyond_all_others_after_rounding(dtype, kind) -> None:
    logits_TE = wide_logits(dtype)
    eps_TN = draw_eps(len(logits_TE), 2, kind, torch.Generator().manual_seed(1))
    others = [1, 3, 4, 5, 6, 7]
    # What the paper's formula alone would come to, for most tokens: a tie.
    naive_TN = (logits_TE.max(-1, keepdim=True).values + eps_TN).to(dtype)
    assert float((naive_TN == logits_TE.max(-1, keepdim=True).values).float().mean()) > 0.3
    lifted_TE = activate(logits_TE, FIRST_AND_THIRD, eps_TN, dtype).to(dtype)
    dropped_TE = deactivate(logits_TE, FIRST_AND_THIRD, eps_TN, dtype).to(dtype)
    assert bool(torch.isfinite(lifted_TE).all())
    assert bool((lifted_TE[:, [0, 2]].min(-1).values > logits_TE[:, others].max(-1).values.to(dtype)).all())
    assert bool((dropped_TE[:, [0, 2]].max(-1).values < logits_TE[:, others].min(-1).values.to(dtype)).all())
    # Not much further than that: two steps, or one and a half times eps.
    step_T = torch.finfo(dtype).eps * logits_TE.abs().max(-1).values.clamp(min=1)
    lift_TN = lifted_TE[:, [0, 2]].float() - logits_TE.max(-1, keepdim=True).values
    assert bool((lift_TN <= torch.maximum(2 * step_T[:, None], 1.5 * eps_TN)).all())


@pytest.mark.parametrize("dtype", COARSE)
def test_a_softmax_in_a_coarse_dtype_keeps_the_activated_expert_above(dtype) -> None:
    logits_TE = wide_logits(dtype)[:-5]
    eps_TN = draw_eps(len(logits_TE), 1, "std", torch.Generator().manual_seed(1))
    shares_TE = activate(logits_TE, torch.tensor([2]), eps_TN, dtype).to(dtype).softmax(-1)
    others_TE = shares_TE.index_fill(-1, torch.tensor([2]), -1)
    assert bool((shares_TE[:, 2] > others_TE.max(-1).values).all())


def test_a_larger_eps_survives_a_coarse_dtype() -> None:
    lifted_TE = activate(LOGITS_TE, torch.tensor([0]), torch.full((2, 1), 8.0), torch.bfloat16)
    assert lifted_TE[:, 0].tolist() == [12.0, 11.0]


def test_extremes_left_between_two_steps_by_another_edit_are_still_beaten() -> None:
    between_TE = torch.tensor([[4.0 + 0.9 * 2**-5, 4.0 + 0.7 * 2**-5, 0.0, -4.0 - 0.9 * 2**-5]])
    lifted_TE = activate(between_TE, torch.tensor([2]), torch.zeros(1, 1), torch.bfloat16).bfloat16()
    assert lifted_TE.argmax() == 2
    assert lifted_TE[0, 2] > lifted_TE[0, 0]
    dropped_TE = deactivate(between_TE, torch.tensor([2]), torch.zeros(1, 1), torch.bfloat16).bfloat16()
    assert dropped_TE[0, 2] < dropped_TE[0, 3]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rules_never_write_into_their_input_nor_touch_other_experts(dtype) -> None:
    logits_TE = torch.tensor([[-0.0, 1e-30, 3.3, -7.0], [5.0, -0.0, 2.0, 1.0]])
    before_TE = logits_TE.clone()
    edited = [
        soft(logits_TE, FIRST_AND_THIRD, 0.5, "sample"),
        activate(logits_TE, FIRST_AND_THIRD, NO_EPS_TN, dtype),
        deactivate(logits_TE, FIRST_AND_THIRD, NO_EPS_TN, dtype),
        mask(logits_TE, FIRST_AND_THIRD, dtype),
        magnitude(logits_TE, FIRST_AND_THIRD, WEIGHTS_N, 0.5),
    ]
    assert torch.equal(logits_TE.view(torch.int32), before_TE.view(torch.int32))
    for moved_TE in edited:
        others = [1, 3]
        assert torch.equal(moved_TE[:, others].view(torch.int32), before_TE[:, others].view(torch.int32))


@pytest.mark.filterwarnings("ignore:std")
def test_no_tokens_are_no_error() -> None:
    none_TE = torch.zeros(0, 4)
    eps_TN = draw_eps(0, 2, "std", torch.Generator())
    assert soft(none_TE, FIRST_AND_THIRD, 0.5, "population").shape == (0, 4)
    assert activate(none_TE, FIRST_AND_THIRD, eps_TN, torch.bfloat16).shape == (0, 4)
    assert mask(none_TE, FIRST_AND_THIRD).shape == (0, 4)
    assert magnitude(none_TE, FIRST_AND_THIRD, WEIGHTS_N, 0.5).shape == (0, 4)


def test_gradients_flow_through_every_rule() -> None:
    for move in (
        lambda z: soft(z, FIRST_AND_THIRD, 0.5, "population"),
        lambda z: activate(z, FIRST_AND_THIRD, NO_EPS_TN, torch.bfloat16),
        lambda z: deactivate(z, FIRST_AND_THIRD, NO_EPS_TN),
        lambda z: magnitude(z, FIRST_AND_THIRD, WEIGHTS_N, 0.5),
    ):
        logits_TE = LOGITS_TE.clone().requires_grad_()
        move(logits_TE).square().sum().backward()
        assert logits_TE.grad is not None
        assert bool(torch.isfinite(logits_TE.grad).all())


@pytest.mark.parametrize(("kind", "expected"), [("variance", 1e-3), ("std", 1e-6)])
def test_eps_has_the_spread_that_its_kind_says(kind, expected) -> None:
    eps_TN = draw_eps(20_000, 2, kind, torch.Generator().manual_seed(0))
    assert (eps_TN.shape, eps_TN.dtype, eps_TN.device.type) == ((20_000, 2), torch.float32, "cpu")
    assert float(eps_TN.std()) == pytest.approx(expected, rel=0.02)
    assert abs(float(eps_TN.mean())) < 0.03 * expected


def test_eps_repeats_with_its_generator() -> None:
    generator = torch.Generator().manual_seed(3)
    first_TN, second_TN = (draw_eps(5, 2, "std", generator) for _ in range(2))
    assert not torch.equal(first_TN, second_TN)
    again = torch.Generator().manual_seed(3)
    assert torch.equal(draw_eps(5, 2, "std", again), first_TN)
    assert torch.equal(draw_eps(5, 2, "std", again), second_TN)


# ------------------------------------------------------------------------------------------------- paper 2


def test_a_mask_puts_the_released_value_and_nothing_else() -> None:
    masked_TE = mask(LOGITS_TE, FIRST_AND_THIRD)
    assert torch.equal(masked_TE, torch.tensor([[-1e9, 2.0, -1e9, 4.0], [-1e9, 3.0, -1e9, 1.0]]))
    assert masked_TE.dtype == torch.float32


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(torch.float32, -1e9), (torch.float64, -1e9), (torch.bfloat16, -998244352.0), (torch.float16, -65504.0)],
)
def test_a_mask_is_finite_and_weighs_nothing_in_every_dtype(dtype, expected) -> None:
    assert MASKED == -1e9
    masked_TE = mask(LOGITS_TE, FIRST_AND_THIRD, dtype).to(dtype)
    assert masked_TE[:, [0, 2]].unique().tolist() == [expected]
    assert not bool(masked_TE.softmax(-1)[:, [0, 2]].any())
    assert not bool(masked_TE.sigmoid()[:, [0, 2]].any())


@pytest.mark.parametrize("strength", [0.5, -1.0, 0.022])
def test_magnitude_adds_a_share_of_each_logits_own_size(strength) -> None:
    # |z| of the moved ones: 1 and 3; 3 and 1, both negative.
    expected_TE = [
        [1 + strength * 0.25 * 1, 2, 3 + strength * 0.5 * 3, 4],
        [-3 + strength * 0.25 * 3, 3, -1 + strength * 0.5 * 1, 1],
    ]
    moved_TE = magnitude(LOGITS_TE, FIRST_AND_THIRD, WEIGHTS_N, strength)
    torch.testing.assert_close(moved_TE, torch.tensor(expected_TE))


def test_magnitude_without_strength_weight_or_size_moves_nothing() -> None:
    for strength in (0.0, -0.0):
        assert torch.equal(magnitude(LOGITS_TE, FIRST_AND_THIRD, WEIGHTS_N, strength), LOGITS_TE)
    assert torch.equal(magnitude(LOGITS_TE, FIRST_AND_THIRD, torch.zeros(2), 0.5), LOGITS_TE)
    half_TE = magnitude(LOGITS_TE, FIRST_AND_THIRD, torch.tensor([0.0, 0.5]), 0.5)
    assert torch.equal(half_TE[:, 0], LOGITS_TE[:, 0])
    assert not bool((half_TE[:, 2] == LOGITS_TE[:, 2]).any())
    assert not bool(magnitude(torch.zeros(2, 4), FIRST_AND_THIRD, WEIGHTS_N, 0.5).any())


def test_magnitude_depends_on_where_zero_is() -> None:
    """Softmax does not: the same unedited model gets another edit where all logits are shifted."""
    shifted_TE = magnitude(LOGITS_TE + 10, FIRST_AND_THIRD, WEIGHTS_N, 0.5) - 10
    plain_TE = magnitude(LOGITS_TE, FIRST_AND_THIRD, WEIGHTS_N, 0.5)
    assert bool((shifted_TE[:, [0, 2]] > plain_TE[:, [0, 2]]).all())


def by_rule(rule: str, logits_TE: torch.Tensor, arithmetic: str, strength: float = 0.022) -> torch.Tensor:
    """What a model of bfloat16 is given."""
    every_E = torch.ones(logits_TE.shape[1], dtype=torch.bool)
    amounts_E = torch.full((1,), strength)
    if rule == "magnitude":
        weights_E = torch.linspace(0.362, 0.683, len(every_E))  # shares of en in paper 2
        amounts_E = push_sizes(strength, weights_E, torch.bfloat16 if arithmetic == "model" else torch.float32)
    push = Push(every_E, amounts_E, "population", torch.bfloat16, arithmetic)
    return RULES[rule].move(logits_TE, push).bfloat16()


def released(logits_TE: torch.Tensor, strength: float = 0.022) -> torch.Tensor:
    """Paper 2's release, one number at a time: each value is rounded to bfloat16 when it is made."""

    def rounded(value: float) -> float:
        return float(torch.tensor(value, dtype=torch.float64).bfloat16())

    shares = torch.linspace(0.362, 0.683, logits_TE.shape[1]).tolist()
    pushes = [rounded(strength * rounded(share)) for share in shares]
    return torch.tensor(
        [
            [rounded(z + rounded(push * abs(z))) for z, push in zip(row, pushes, strict=True)]
            for row in logits_TE.tolist()
        ]
    ).bfloat16()


def test_the_models_arithmetic_gives_the_releases_values_and_float32_those_of_the_formula() -> None:
    logits_TE = (4 * torch.randn(60, 64, generator=torch.Generator().manual_seed(0)) - 2).bfloat16().float()
    as_released_TE, once_rounded_TE = (by_rule("magnitude", logits_TE, how) for how in ("model", "float32"))
    assert torch.equal(as_released_TE, released(logits_TE))
    share_E = torch.linspace(0.362, 0.683, 64, dtype=torch.float64)
    exact_TE = logits_TE.double() + 0.022 * share_E * logits_TE.double().abs()
    step_TE = (exact_TE.bfloat16().double() - exact_TE).abs()
    assert bool(((once_rounded_TE.double() - exact_TE).abs() <= step_TE * (1 + 1e-4)).all())
    # Both can be had, and they are not the same: some logits are a step apart, none two.
    differ_TE = as_released_TE != once_rounded_TE
    assert 0.002 < float(differ_TE.float().mean()) < 0.02
    apart_TE = (as_released_TE.double() - once_rounded_TE.double()).abs()
    assert bool((apart_TE <= torch.finfo(torch.bfloat16).eps * exact_TE.abs().clamp(min=2**-10) * 1.01).all())


def test_one_logit_by_hand_in_either_arithmetic() -> None:
    """z = -5.09375, s = 0.41994673, lambda = 0.022; bfloat16 has steps of 2^-5 at z.

    In the model's dtype: s becomes 215 * 2^-9; lambda s = 0.0092383 becomes 151 * 2^-14; times |z| = 0.046945 becomes
    192 * 2^-12 = 0.046875; the sum -5.046875 lies half way between two values and goes to the even one, -162 * 2^-5.
    Rounded once: lambda s |z| = 0.047060; the sum -5.046690 is nearer to -161 * 2^-5.
    """
    arithmetics = (("model", torch.bfloat16, -162 * 2**-5), ("float32", torch.float32, -161 * 2**-5))
    for arithmetic, dtype, expected in arithmetics:
        pushes_E = push_sizes(0.022, torch.tensor([0.41994673, 0.0]), dtype)
        push = Push(torch.tensor([True, False]), pushes_E, "population", torch.bfloat16, arithmetic)
        moved_TE = RULES["magnitude"].move(torch.tensor([[-5.09375, 0.0]]), push).bfloat16()
        assert moved_TE[0].tolist() == [expected, 0.0]


def test_soft_can_be_computed_in_the_models_dtype_too() -> None:
    logits_TE = (4 * torch.randn(60, 64, generator=torch.Generator().manual_seed(0))).bfloat16().float()
    in_model_TE, once_rounded_TE = (by_rule("soft", logits_TE, how, 0.5) for how in ("model", "float32"))
    spread_T1 = logits_TE.bfloat16().std(-1, correction=0, keepdim=True)
    assert torch.equal(in_model_TE, logits_TE.bfloat16() + 0.5 * spread_T1)
    assert 0.1 < float((in_model_TE != once_rounded_TE).float().mean()) < 0.5


@pytest.mark.parametrize("rule", ["soft", "magnitude"])
def test_either_arithmetic_returns_the_dtype_it_got_and_spares_the_others(rule) -> None:
    for arithmetic in ("model", "float32"):
        amounts_E = torch.tensor([0.5, 0.0, 0.25, 0.0], dtype=torch.bfloat16)
        push = Push(torch.tensor([True, False, True, False]), amounts_E, "sample", torch.bfloat16, arithmetic)
        moved_TE = RULES[rule].move(LOGITS_TE, push)
        assert moved_TE.dtype == torch.float32
        assert torch.equal(moved_TE[:, [1, 3]], LOGITS_TE[:, [1, 3]])


def test_the_registry_says_what_each_rule_takes() -> None:
    takes = {
        name: [key for key in ("strength", "eps", "weights", "arithmetic") if getattr(rule, f"takes_{key}")]
        for name, rule in RULES.items()
    }
    assert takes == {
        "soft": ["strength", "arithmetic"],
        "activate": ["eps"],
        "deactivate": ["eps"],
        "mask": [],
        "magnitude": ["strength", "weights", "arithmetic"],
    }

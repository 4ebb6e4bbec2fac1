"""Rules of steering against logits computed by hand."""

import math

import pytest
import torch

from polyroute.steering.rules import RULES, activate, deactivate, draw_eps, soft

# Squared deviations from the mean 2.5 add up to 5: population std sqrt(5/4), sample std sqrt(5/3). The second token's
# mean is 0 and its squares add up to 20: sqrt(5) and sqrt(20/3).
LOGITS_TE = torch.tensor([[1.0, 2.0, 3.0, 4.0], [-3.0, 3.0, -1.0, 1.0]])
FIRST_AND_THIRD = torch.tensor([0, 2])
NO_EPS_TN = torch.zeros(2, 2)
COARSE = [torch.bfloat16, torch.float16]


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
def test_strength_zero_returns_the_very_tensor(strength) -> None:
    assert soft(LOGITS_TE, FIRST_AND_THIRD, strength, "population") is LOGITS_TE


def test_soft_of_equal_logits_moves_nothing() -> None:
    equal_TE = torch.full((3, 4), 7.0)
    assert torch.equal(soft(equal_TE, FIRST_AND_THIRD, 0.5, "population"), equal_TE)


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
    moved = [
        soft(logits_TE, FIRST_AND_THIRD, 0.5, "sample"),
        activate(logits_TE, FIRST_AND_THIRD, NO_EPS_TN, dtype),
        deactivate(logits_TE, FIRST_AND_THIRD, NO_EPS_TN, dtype),
    ]
    assert torch.equal(logits_TE.view(torch.int32), before_TE.view(torch.int32))
    for moved_TE in moved:
        others = [1, 3]
        assert torch.equal(moved_TE[:, others].view(torch.int32), before_TE[:, others].view(torch.int32))


@pytest.mark.filterwarnings("ignore:std")
def test_no_tokens_are_no_error() -> None:
    none_TE = torch.zeros(0, 4)
    eps_TN = draw_eps(0, 2, "std", torch.Generator())
    assert soft(none_TE, FIRST_AND_THIRD, 0.5, "population").shape == (0, 4)
    assert activate(none_TE, FIRST_AND_THIRD, eps_TN, torch.bfloat16).shape == (0, 4)


def test_gradients_flow_through_every_rule() -> None:
    for move in (
        lambda z: soft(z, FIRST_AND_THIRD, 0.5, "population"),
        lambda z: activate(z, FIRST_AND_THIRD, NO_EPS_TN, torch.bfloat16),
        lambda z: deactivate(z, FIRST_AND_THIRD, NO_EPS_TN),
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


def test_the_registry_says_what_each_rule_takes() -> None:
    takes = {name: (rule.takes_strength, rule.takes_eps) for name, rule in RULES.items()}
    assert takes == {"soft": (True, False), "activate": (False, True), "deactivate": (False, True)}

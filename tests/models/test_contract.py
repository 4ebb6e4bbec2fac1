"""What the contract check says of models that break it: small fabricated ones, one breach each."""

from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch
from torch import nn
from torch.nn import functional
from transformers import LlamaForCausalLM

from models.tiny_models import build, tiny
from polyroute.models.contract import check_contract
from polyroute.models.routers import RouterError, find_routers

HIDDEN, EXPERTS, TOP_K = 16, 4, 2


class Gate(nn.Module):
    """A sound router; each breach overrides one step."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(EXPERTS, HIDDEN))

    def logits(self, hidden_TH):
        return functional.linear(hidden_TH, self.weight)

    def select(self, hidden_TH, logits_TE):
        weights_TK, ids_TK = logits_TE.softmax(-1).topk(TOP_K)
        return logits_TE, weights_TK, ids_TK

    def forward(self, hidden_BSH):
        hidden_TH = hidden_BSH.reshape(-1, HIDDEN)
        return self.select(hidden_TH, self.logits(hidden_TH))


class Block(nn.Module):
    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self.gate = gate
        self.values = nn.Parameter(torch.randn(EXPERTS, HIDDEN))

    def forward(self, hidden_BSH):
        _, weights_TK, ids_TK = self.gate(hidden_BSH)
        return hidden_BSH + (self.values[ids_TK] * weights_TK[..., None]).sum(-2).view_as(hidden_BSH)


class Model(nn.Module):
    _can_record_outputs: ClassVar = {"router_logits": SimpleNamespace(target_class=Gate, index=0)}

    def __init__(self, gate: type[Gate] = Gate, block: type[Block] = Block) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(32, HIDDEN)
        self.layers = nn.ModuleList([block(gate()) for _ in range(2)])

    def get_input_embeddings(self) -> nn.Embedding:
        return self.embedding

    def forward(self, input_ids):
        hidden_BSH = self.embedding(input_ids)
        for layer in self.layers:
            hidden_BSH = layer(hidden_BSH)
        return hidden_BSH


def test_sound_model_passes() -> None:
    report = check_contract(Model())
    assert (report.layers, report.experts, report.top_k) == ((0, 1), (4, 4), (2, 2))
    assert report.selections == ("softmax>topk", "softmax>topk")
    assert report.tokens == 14
    assert str(report) == "2 routers in layers 0-1: 4 experts, 2 chosen; softmax>topk"


def test_untrained_router_of_zeros_passes() -> None:
    model = Model()
    nn.init.zeros_(model.layers[1].gate.weight)
    check_contract(model)


def test_given_tokens_are_used() -> None:
    assert check_contract(Model(), input_ids=torch.arange(6).view(2, 3)).tokens == 6


class Probabilities(Gate):
    """transformers 5.0 to 5.5: what is selected on and returned is already a softmax."""

    def logits(self, hidden_TH):
        return functional.linear(super().logits(hidden_TH).softmax(-1), torch.eye(EXPERTS))


class Overflowing(Gate):
    def logits(self, hidden_TH):
        return functional.linear(hidden_TH, self.weight * torch.tensor([torch.nan, 1, 1, 1])[:, None])

    def select(self, hidden_TH, logits_TE):
        return logits_TE, *torch.topk(logits_TE.nan_to_num(0).softmax(-1), TOP_K)


class OtherChoice(Gate):
    """Chooses by something that is not its logits."""

    def select(self, hidden_TH, logits_TE):
        _, ids_TK = hidden_TH[:, :EXPERTS].topk(TOP_K)
        return logits_TE, logits_TE.softmax(-1).gather(-1, ids_TK), ids_TK


class OtherWeights(Gate):
    """Weighs by more than its logits."""

    def select(self, hidden_TH, logits_TE):
        logits_TE, weights_TK, ids_TK = super().select(hidden_TH, logits_TE)
        return logits_TE, weights_TK * hidden_TH[:, :1].exp(), ids_TK


class Deaf(Block):
    """Calls its router and then ignores it, as a fused kernel would."""

    def forward(self, hidden_BSH):
        self.gate(hidden_BSH)
        return hidden_BSH + self.values.sum(0)


class Misdirected(Block):
    """Uses the weights, but on experts of its own choice."""

    def forward(self, hidden_BSH):
        _, weights_TK, _ = self.gate(hidden_BSH)
        return hidden_BSH + (self.values[:TOP_K] * weights_TK[..., None]).sum(-2).view_as(hidden_BSH)


class Twice(Block):
    def forward(self, hidden_BSH):
        return super().forward(super().forward(hidden_BSH))


class Shortened(Block):
    """Routes only a part of the tokens."""

    def forward(self, hidden_BSH):
        routed = super().forward(hidden_BSH[:, 1:])
        return torch.cat([hidden_BSH[:, :1], routed], dim=1)


@pytest.mark.parametrize(
    ("gate", "block", "said"),
    [
        (
            Probabilities,
            Block,
            r"layers\.0\.gate is non-negative and sums to 1.*transformers 5\.0 to 5\.5 returned softmax",
        ),
        (Overflowing, Block, r"layers\.0\.gate gave logits or weights that are not finite"),
        (OtherChoice, Block, r"layers\.0\.gate through its own selection gives other experts for \d+ of 14 tokens"),
        (
            OtherWeights,
            Block,
            r"layers\.0\.gate through its own selection gives the same experts but weights that differ",
        ),
        (Gate, Deaf, r"Shifting the logits of router layers\.0\.gate by one expert did not change the model's output"),
        (Gate, Misdirected, r"the experts that run are not those that this router chooses"),
        (Gate, Twice, r"layers\.0\.gate was called 2 times in one forward pass"),
        (Gate, Shortened, r"layers\.0\.gate gave logits of shape \(12, 4\) for 14 tokens and 4 experts"),
    ],
)
def test_breach_is_named(gate, block, said) -> None:
    with pytest.raises(RouterError, match=said):
        check_contract(Model(gate, block))


class Mingled(Block):
    """Rows of a batch depend on one another, as where experts have room for so many tokens."""

    def forward(self, hidden_BSH):
        return super().forward(hidden_BSH) + 0.1 * hidden_BSH.mean(0)


class ByPosition(Block):
    """Lays out its tokens position by position, not row by row."""

    def forward(self, hidden_BSH):
        return super().forward(hidden_BSH.transpose(0, 1)).transpose(0, 1)


@pytest.mark.parametrize("block", [Block, Mingled, ByPosition])
def test_a_router_that_is_ignored_is_found_among_others_that_are_not(block) -> None:
    model = Model(block=block)
    check_contract(model)
    model.layers.insert(1, Deaf(Gate()))
    with pytest.raises(RouterError, match=r"Shifting the logits of router layers\.1\.gate by one expert"):
        check_contract(model)


@pytest.mark.parametrize(("block", "forwards"), [(Block, 4 + 2), (Mingled, 4 + 2 + 20)])
def test_routers_share_a_forward_where_copies_of_the_tokens_are_apart(block, forwards) -> None:
    model, ran = Model(block=block), []
    model.layers.extend([block(Gate()) for _ in range(18)])
    routers = find_routers(model)
    model.register_forward_hook(lambda *_: ran.append(1))
    check_contract(model, routers)
    assert len(ran) == forwards


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("where", ["head", "norm"])
def test_lost_numbers_are_not_blamed_on_a_kernel(where, value) -> None:
    model = tiny("qwen3_moe", tie_word_embeddings=False)
    with torch.no_grad():
        (model.lm_head if where == "head" else model.model.norm).weight[3] = value
    with pytest.raises(RouterError, match=r"output is NaN or infinite on ordinary tokens.*weights is NaN, or float32"):
        check_contract(model)


def test_words_closed_with_minus_infinity_are_no_error() -> None:
    class Closing(Model):
        def forward(self, input_ids):
            output = super().forward(input_ids)
            return output.index_fill(-1, torch.tensor([3]), -torch.inf)

    check_contract(Closing())


@pytest.mark.parametrize(
    ("kernel", "error", "said"),
    [
        ("grouped_mm", RuntimeError("strides should be multiple of 16 bytes"), "set `experts: eager` in the model's"),
        ("batched_mm", NotImplementedError("not implemented for 'Half'\nsecond line"), "set `experts: eager`"),
        ("eager", RuntimeError("not implemented for 'Half'"), "Set another `dtype` or `device`"),
        ("grouped_mm", TypeError("missing 1 argument"), "Pass inputs that its forward accepts"),
    ],
)
def test_a_kernel_that_refuses_is_no_matter_of_the_inputs(kernel, error, said) -> None:
    class Refusing(Model):
        config = SimpleNamespace(_experts_implementation=kernel, to_dict=dict)

        def forward(self, input_ids):
            raise error

    with pytest.raises(RouterError, match=said) as raised:
        find_routers(Refusing())
    assert "\n" not in str(raised.value)


def test_changed_model_is_noticed() -> None:
    model = Model()
    routers = find_routers(model)
    model.layers[0].gate.weight = nn.Parameter(torch.randn(EXPERTS - 1, HIDDEN))
    with pytest.raises(RouterError, match="made logits of width 3 where 4 were found"):
        check_contract(model, routers)
    model.layers[0].gate.logits = lambda hidden_TH: (hidden_TH[:, None] * model.layers[0].gate.weight).sum(-1)
    with pytest.raises(RouterError, match="made 0 matrix products in this call"):
        check_contract(model, routers)


# ------------------------------------------------------------------------------------------------- not found


def test_model_without_routers() -> None:
    with pytest.raises(RouterError, match="LlamaForCausalLM declares no router logits"):
        find_routers(build(LlamaForCausalLM))


def test_model_with_dense_layers_only() -> None:
    with pytest.raises(RouterError, match="Qwen3MoeForCausalLM declares no router logits"):
        find_routers(tiny("qwen3_moe", mlp_only_layers=[0, 1, 2]))


def test_declared_routers_that_are_never_called() -> None:
    class Skipping(Model):
        def forward(self, input_ids):
            return self.embedding(input_ids)

    with pytest.raises(RouterError, match=r"declares 2 routers \(layers\.0\.gate, layers\.1\.gate\), but none of them"):
        find_routers(Skipping())


def test_forward_that_fails_is_reported_with_its_cause() -> None:
    class Failing(Model):
        def forward(self, input_ids, image):
            return super().forward(input_ids)

    with pytest.raises(RouterError, match=r"Running Failing once to find its routers failed.*missing 1") as raised:
        find_routers(Failing())
    assert isinstance(raised.value.__cause__, TypeError)
    assert len(find_routers(Failing(), inputs={"input_ids": torch.arange(5)[None], "image": None})) == 2


def test_unreadable_choice() -> None:
    class Silent(Gate):
        def select(self, hidden_TH, logits_TE):
            return logits_TE, logits_TE.softmax(-1)

    class Dense(Block):
        def forward(self, hidden_BSH):
            return hidden_BSH + (self.gate(hidden_BSH)[1] @ self.values).view_as(hidden_BSH)

    with pytest.raises(RouterError, match=r"layers\.0\.gate \(Silent\).*polyroute cannot observe or edit this router"):
        find_routers(Model(Silent, Dense))


def test_path_without_a_layer_number() -> None:
    class Single(Model):
        def __init__(self) -> None:
            super().__init__()
            self.block = self.layers[0]
            self.layers = nn.ModuleList()

        def forward(self, input_ids):
            return self.block(self.embedding(input_ids))

    with pytest.raises(RouterError, match=r"path of router block\.gate holds no layer number"):
        find_routers(Single())


# ------------------------------------------------------------------------------------------- ways to return a choice


class DenseWeights(Gate):
    """Llama 4: returns (T, E) weights, zero where not chosen."""

    def select(self, hidden_TH, logits_TE):
        logits_TE, weights_TK, ids_TK = super().select(hidden_TH, logits_TE)
        return torch.zeros_like(logits_TE).scatter(-1, ids_TK, weights_TK), logits_TE


class DenseBlock(Block):
    def forward(self, hidden_BSH):
        weights_TE, _ = self.gate(hidden_BSH)
        return hidden_BSH + (weights_TE @ self.values).view_as(hidden_BSH)


class Scaled(Gate):
    """Cosine routing: the product is normalised and scaled before it is returned as logits."""

    def logits(self, hidden_TH):
        return 10 * functional.normalize(hidden_TH, dim=-1) @ functional.normalize(self.weight, dim=-1).T


class Experts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.randn(EXPERTS, HIDDEN))

    def forward(self, hidden_BSH, *, top_k_weights, top_k_index):
        return hidden_BSH + (self.values[top_k_index] * top_k_weights[..., None]).sum(-2).view_as(hidden_BSH)


class LogitsOnly(Gate):
    """Jamba, DBRX: returns logits; the block selects and passes the choice to its experts, here by keyword."""

    def select(self, hidden_TH, logits_TE):
        return logits_TE


class SelectingBlock(Block):
    def __init__(self, gate: Gate) -> None:
        super().__init__(gate)
        self.experts = Experts()

    def forward(self, hidden_BSH):
        weights_TK, ids_TK = self.gate(hidden_BSH).sigmoid().topk(TOP_K)
        return self.experts(hidden_BSH, top_k_weights=weights_TK, top_k_index=ids_TK)


class Flattened(Gate):
    """JetMoE: returns the choice sorted by expert and flattened."""

    def select(self, hidden_TH, logits_TE):
        logits_TE, weights_TK, ids_TK = super().select(hidden_TH, logits_TE)
        order = ids_TK.flatten().argsort()
        return logits_TE, weights_TK.flatten()[order], ids_TK.flatten()[order], order.div(TOP_K, rounding_mode="trunc")


class FlatBlock(Block):
    def forward(self, hidden_BSH):
        _, weights, ids, tokens = self.gate(hidden_BSH)
        hidden_TH = hidden_BSH.reshape(-1, HIDDEN)
        return hidden_TH.index_add(0, tokens, self.values[ids] * weights[:, None]).view_as(hidden_BSH)


@pytest.mark.parametrize(
    ("gate", "block", "index", "rule"),
    [
        (DenseWeights, DenseBlock, 1, "softmax>topk"),
        (Scaled, Block, 0, "softmax>topk"),
        (LogitsOnly, SelectingBlock, 0, "sigmoid>topk"),
        (Flattened, FlatBlock, 0, "softmax>topk"),
    ],
)
def test_choice_is_read_wherever_a_model_leaves_it(gate, block, index, rule) -> None:
    class Declaring(Model):
        _can_record_outputs: ClassVar = {"router_logits": [SimpleNamespace(target_class=gate, index=index)]}

    assert check_contract(Declaring(gate, block)).selections == (rule, rule)


def test_attention_routers_share_the_layer_of_their_mlp() -> None:
    routers = find_routers(tiny("jetmoe"))
    assert [router.layer for router in routers] == [0, 0, 1, 1, 2, 2]
    assert [router.name.split(".")[3] for router in routers[:2]] == ["self_attention", "mlp"]

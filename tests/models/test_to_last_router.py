"""A pass ends behind the last router, and tells of routing what a whole one tells."""

import pytest
import torch

from polyroute.models.routers import RouterError, find_routers, observe
from polyroute.models.to_last_router import observe_to_last
from tiny import make_model

IDS_BS = torch.arange(12).view(2, 6)


def seen(context, model) -> dict[str, torch.Tensor]:
    """What routers chose in one forward."""
    found = {}
    with torch.inference_mode(), context(lambda router, call: found.update({router.name: call.weights_TK})):
        model(input_ids=IDS_BS)
    return found


@pytest.mark.parametrize(("layers", "hooked", "experts_that_run"), [(3, None, 2), (1, None, 0), (3, "model.norm", 2),
                                                                    (3, "", 3), (3, "model.layers.1", 3)])  # fmt: skip
def test_what_comes_behind_the_last_router_runs_only_where_accelerate_must_see_its_end(
    layers, hooked, experts_that_run
) -> None:
    model = make_model()
    routers = find_routers(model)
    expected = seen(lambda on_call: observe(routers, on_call), model)
    ran = []
    for layer in model.model.layers:
        layer.mlp.experts.register_forward_hook(lambda *_: ran.append(None))
    if hooked is not None:
        model.get_submodule(hooked)._hf_hook = object()
    found = seen(lambda on_call: observe_to_last(model, routers[:layers], on_call), model)
    assert len(ran) == experts_that_run
    assert list(found) == [router.name for router in routers[:layers]]
    assert all(torch.equal(found[name], expected[name]) for name in found)
    assert seen(lambda on_call: observe(routers, on_call), model).keys() == expected.keys(), "nothing is left behind"


def test_a_router_that_is_never_called_and_an_error_of_the_callers_are_heard() -> None:
    model = make_model()
    routers = find_routers(model)
    with pytest.raises(RouterError, match="never"), observe_to_last(model, routers, lambda *_: None):
        model.model.embed_tokens(IDS_BS)
    with pytest.raises(ZeroDivisionError):
        seen(lambda _on_call: observe_to_last(model, routers, lambda *_: 1 / 0), model)

"""An engine in a process of its own, asked line by line: `python -m polyroute.engines.vllm.child SETTINGS`.

It runs in the environment where vLLM is installed, which need not be that of who asks (`process`). A line of standard
input is a list of requests or `{"end": true}`; each is answered by a line on the descriptor that the settings name, for
what vLLM prints is its own.

| key of a request | what |
|---|---|
| ids | tokens of the prompt |
| plan | name of the plan to follow; null for none |
| from | to score: the likelihoods of the prompt's tokens from this place on are told |
| most | to write: how many tokens at most |
| ends | tokens that end a text |
| stop | strings near whose end a text is handed back; who asks decides whether it has ended |
| temperature, top_k, top_p, seed | how a token is drawn |

The answer has `ids` of each text that was written, the one that ended it included, or `nats` of each token scored.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from polyroute.engines.vllm.worker import EXTENSION, steered
from polyroute.ground.device import device_name
from polyroute.workers.errors import EngineError


def parameters(request: dict[str, Any]) -> Any:
    """vLLM's sampling parameters of a request; greedy and scored ones ask for nothing that changes logits."""
    from vllm import SamplingParams

    plan = {"extra_args": {"plan": request["plan"]}} if request["plan"] else {}
    if "from" in request:
        return SamplingParams(temperature=0.0, max_tokens=1, prompt_logprobs=0, detokenize=False, **plan)
    drawn = {name: request[name] for name in ("temperature", "top_k", "top_p", "seed")}
    stop = list(request["stop"])
    return SamplingParams(
        max_tokens=request["most"], stop_token_ids=request["ends"], ignore_eos=True, stop=stop or None,
        include_stop_str_in_output=True, skip_special_tokens=False, spaces_between_special_tokens=False,
        detokenize=bool(stop), **drawn, **plan,
    )  # fmt: skip


def answers(llm: Any, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the engine says to requests, all in one batch, in their order."""
    told = llm.generate(
        [{"prompt_token_ids": one["ids"]} for one in requests], [parameters(one) for one in requests], use_tqdm=False
    )
    found: list[dict[str, Any]] = []
    for request, one in zip(requests, told, strict=True):
        if "from" not in request:
            found.append({"ids": list(one.outputs[0].token_ids)})
            continue
        places = range(request["from"], len(request["ids"]))
        found.append({"nats": [one.prompt_logprobs[place][request["ids"][place]].logprob for place in places]})
    return found


def about(llm: Any) -> dict[str, Any]:
    """What of an engine decides its answers, and what it steers."""
    import torch
    import transformers
    import vllm

    config = llm.llm_engine.vllm_config
    return {
        "versions": {
            "vllm": vllm.__version__, "torch": torch.__version__, "transformers": transformers.__version__,
        },
        "dtype": str(config.model_config.dtype).removeprefix("torch."),
        "device": config.device_config.device_type,
        "gpu": device_name(),
        "context": int(config.model_config.max_model_len),
        "steered": steered(llm) if os.environ.get("POLYROUTE_SLOTS") else None,
    }  # fmt: skip


def main() -> None:
    """Start the engine, and answer until the end."""
    settings = json.loads(sys.argv[1])
    with os.fdopen(settings["answers"], "w", encoding="utf-8") as out:

        def tell(said: dict[str, Any]) -> None:
            out.write(json.dumps(said) + "\n")
            out.flush()

        try:
            from vllm import LLM

            llm = LLM(**settings["engine"], worker_extension_cls=EXTENSION, generation_config="vllm")
            tell(about(llm))
            for line in sys.stdin:
                said = json.loads(line)
                if "end" in said:
                    break
                tell({"answers": answers(llm, said["requests"])})
        # Whatever vLLM makes of a model or a request: who asks tells it as a sentence.
        except Exception as error:  # noqa: BLE001
            tell({"error": f"{type(error).__name__}: {error}"})
            raise SystemExit(1) from None


if __name__ == "__main__":
    try:
        main()
    except EngineError as error:
        raise SystemExit(str(error)) from None

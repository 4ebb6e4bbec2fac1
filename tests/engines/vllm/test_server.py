"""A steered server, asked over HTTP; one that would not steer does not come up."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from engines.vllm.engine import PLANS, SETTINGS, TOKENS, InTransformers, made, needs_vllm, prompts

pytestmark = needs_vllm
UP_S = 900
"""A start takes half a minute, and several times as long on a busy machine."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = made("Qwen3Moe", tmp_path_factory.mktemp("served") / "model")
    for name, one in PLANS.items():
        one.save(folder.parent / f"{name}.json")
    return folder


def started(folder, log, **variables):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder), "--served-model-name",
        "tiny", "--dtype", "float32", "--max-model-len", "256", "--enforce-eager", "--host", "127.0.0.1", "--port",
        str(port),
    ]  # fmt: skip
    plain = {name: value for name, value in (os.environ | SETTINGS).items() if not name.startswith("POLYROUTE")}
    with log.open("w") as told:
        running = subprocess.Popen(command, env=plain | variables, stdout=told, stderr=subprocess.STDOUT)
    return running, f"http://127.0.0.1:{port}"


def ended(running) -> None:
    running.terminate()
    try:
        running.wait(60)
    except subprocess.TimeoutExpired:
        running.kill()


def post(address, **body):
    request = urllib.request.Request(
        f"{address}/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def test_a_server_follows_its_plan_and_those_that_requests_name(folder, tmp_path) -> None:
    log, plans = tmp_path / "log", folder.parent
    running, address = started(
        folder, log, POLYROUTE_PLAN=str(plans / "soft.json"), POLYROUTE_PLANS=f"hush={plans / 'mask.json'}"
    )
    try:
        deadline = time.monotonic() + UP_S
        while True:
            assert running.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5)
                break
            except OSError:
                time.sleep(1)
        reference, (ids,) = InTransformers(folder), prompts(33)

        def written(**more):
            told = post(
                address, model="tiny", prompt=ids, max_tokens=TOKENS, temperature=0, ignore_eos=True,
                return_token_ids=True, **more,
            )  # fmt: skip
            return told["choices"][0]["token_ids"]

        assert written() == reference.writes(ids, "soft")
        assert written(vllm_xargs={"plan": "hush"}) == reference.writes(ids, "mask")
        assert written(vllm_xargs={"plan": "none"}) == reference.writes(ids, None)
        with pytest.raises(urllib.error.HTTPError) as refused:
            written(vllm_xargs={"plan": "loud"})
        assert refused.value.code == 400
        assert "there is no plan `loud`: this engine has default, hush, none" in refused.value.read().decode()
        assert written() == reference.writes(ids, "soft")
    finally:
        ended(running)


def test_a_server_whose_plugin_was_left_out_does_not_come_up(folder, tmp_path) -> None:
    log = tmp_path / "log"
    running, _ = started(folder, log, POLYROUTE_PLAN=str(folder.parent / "soft.json"), VLLM_PLUGINS="other")
    try:
        assert running.wait(UP_S) != 0
    finally:
        ended(running)
    assert "vLLM did not load the plugin `polyroute`" in log.read_text()

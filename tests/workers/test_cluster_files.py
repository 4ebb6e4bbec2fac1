"""What docs/cluster.md has users run: scripts that a shell takes, a job that Kubernetes takes, commands that exist."""

import re
import shlex
import subprocess

import pytest
import yaml

from polyroute.cli.verbs import main
from polyroute.params.file import parse_text
from tiny import ROOT

SLURM = (ROOT / "docs" / "cluster" / "slurm.sbatch").read_text()
JOB = (ROOT / "docs" / "cluster" / "rayjob.yaml").read_text()
PAGE = (ROOT / "docs" / "cluster.md").read_text()
PARAMS = (ROOT / "params.yaml").read_text()


def engine_of(section: str):
    """Section `engine` put into params.yaml."""
    return parse_text(PARAMS.split("\nengine:\n")[0] + "\n" + section).engine


def commands(text: str) -> list[list[str]]:
    return [shlex.split(found) for found in re.findall(r'^(?:.*&& )?(polyroute [^"\n#]*)', text, re.MULTILINE)]


@pytest.mark.parametrize("script", [SLURM, *re.findall(r"```\n(#!/bin/bash\n.*?)```", PAGE, re.DOTALL)])
def test_a_shell_takes_every_script(script) -> None:
    subprocess.run(["bash", "-n"], input=script, text=True, check=True, capture_output=True)
    asked = [option for line in re.findall(r"^#SBATCH (.*)$", script, re.MULTILINE) for option in line.split()]
    assert {option.split("=")[0] for option in asked} <= {
        "--job-name", "--nodes", "--ntasks-per-node", "--gpus-per-node", "--gres", "--cpus-per-task", "--time",
        "--requeue", "--array",
    }  # fmt: skip
    assert asked


@pytest.mark.parametrize("text", [SLURM, JOB, PAGE], ids=["slurm", "rayjob", "page"])
def test_commands_exist_with_their_options(text) -> None:
    found = commands(text)
    assert found
    for _, verb, *rest in found:
        assert verb in main.commands, verb
        known = {option for one in main.commands[verb].params for option in one.opts}
        assert {word.split("=")[0] for word in rest if word.startswith("--")} <= known


@pytest.mark.parametrize("text", [SLURM, JOB], ids=["slurm", "rayjob"])
def test_the_section_that_a_file_asks_for_is_sound_and_fills_its_gpus(text) -> None:
    (section,) = re.findall(r"^#   (engine: .*)$", text, re.MULTILINE)
    engine = engine_of(section)
    assert engine.ray.address == "auto"
    if text is SLURM:
        nodes, gpus = (int(re.search(rf"--{name}=(\d+)", text)[1]) for name in ("nodes", "gpus-per-node"))
    else:
        (group,) = yaml.safe_load(JOB)["spec"]["rayClusterSpec"]["workerGroupSpecs"]
        (container,) = group["template"]["spec"]["containers"]
        nodes, gpus = group["replicas"], int(container["resources"]["limits"]["nvidia.com/gpu"])
    assert engine.workers * engine.gpus_per_worker == nodes * gpus


def test_the_section_of_the_page_is_sound() -> None:
    (section,) = re.findall(r"```yaml\n(engine:.*?)```", PAGE, re.DOTALL)
    assert engine_of(section).workers == 8


def test_the_job_is_one_that_kuberay_takes() -> None:
    job = yaml.safe_load(JOB)
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    assert set(job["spec"]) == {"entrypoint", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished", "rayClusterSpec"}
    cluster = job["spec"]["rayClusterSpec"]
    assert f"ray=={cluster['rayVersion']}" in (ROOT / "constraints.txt").read_text().splitlines()
    (workers,) = cluster["workerGroupSpecs"]
    assert set(workers) == {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}
    pods = [cluster["headGroupSpec"]["template"]["spec"], workers["template"]["spec"]]
    # Workers that see another folder, or are of another image, would be refused.
    (head,), (worker,) = (pod["containers"] for pod in pods)
    for key in ("image", "env", "volumeMounts"):
        assert head[key] == worker[key]
    assert pods[0]["volumes"] == pods[1]["volumes"]
    shell, flag, line = shlex.split(job["spec"]["entrypoint"])
    assert (shell, flag) == ("bash", "-c")
    assert line.startswith(f"cd {head['volumeMounts'][0]['mountPath']} && polyroute ")

"""What SECURITY.md promises: nothing unpickled, no code run that is data, no connection unasked."""

import ast
import socket

import pytest

from pipeline.test_end_to_end import TEXTS, items_of, stage, write_params
from polyroute.models.settings import Checkpoint
from tiny import ROOT, make_model, make_tokenizer

CODE = sorted(path for folder in ("src", "pipeline") for path in (ROOT / folder).rglob("*.py"))
UNPICKLERS = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
CALLS = {"eval", "exec", "compile", "__import__", "execfile"}
METHODS = {("os", "system"), ("os", "popen"), ("pd", "read_pickle"), ("pandas", "read_pickle"), ("yaml", "load")}


def breaches(source: str) -> list[str]:
    """Every place of a module that does what SECURITY.md rules out."""
    found = []
    for node in ast.walk(ast.parse(source)):
        told = ""
        if isinstance(node, ast.Import):
            told = next((f"import {name.name}" for name in node.names if name.name.split(".")[0] in UNPICKLERS), "")
        elif isinstance(node, ast.ImportFrom):
            told = f"from {node.module}" if (node.module or "").split(".")[0] in UNPICKLERS else ""
        elif isinstance(node, ast.Call):
            told = of_call(node)
        if told:
            found.append(f"line {node.lineno}: {told}")
    return found


def of_call(node: ast.Call) -> str:
    words = {word.arg: word.value for word in node.keywords}
    set_to = {name: value.value for name, value in words.items() if isinstance(value, ast.Constant)}
    if isinstance(node.func, ast.Name) and node.func.id in CALLS:
        return node.func.id
    if isinstance(node.func, ast.Attribute):
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        if (owner, node.func.attr) in METHODS:
            return f"{owner}.{node.func.attr}"
        if (owner, node.func.attr) == ("torch", "load") and set_to.get("weights_only") is not True:
            return "torch.load without weights_only"
        if owner in ("np", "numpy") and set_to.get("allow_pickle", False) is not False:
            return "allow_pickle"
        if node.func.attr == "extractall" and set_to.get("filter") != "data":
            return "extractall without a filter"
    unsafe = {"shell": True, "trust_remote_code": True, "use_safetensors": False, "verify": False, "typ": "unsafe"}
    return next((f"{name}={value}" for name, value in unsafe.items() if set_to.get(name) == value), "")


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_does_what_is_ruled_out(path) -> None:
    assert breaches(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from joblib import load", "eval('1')", "import torch\ntorch.load('x')",
        "torch.load('x', weights_only=False)", "np.load('x', allow_pickle=True)", "pd.read_pickle('x')",
        "subprocess.run('ls', shell=True)", "os.system('ls')", "AutoModel.from_pretrained('x', trust_remote_code=True)",
        "archive.extractall('x')", "YAML(typ='unsafe')", "from_pretrained('x', use_safetensors=False)",
    ],
)  # fmt: skip
def test_the_scan_sees_each_of_them(source) -> None:
    assert len(breaches(source)) == 1


@pytest.mark.parametrize(
    "source", ["torch.load('x', weights_only=True)", "model.eval()", "np.load('x')", "re.compile('x')"]
)
def test_the_scan_leaves_alone_what_is_safe(source) -> None:
    assert breaches(source) == []


def test_code_of_a_models_repository_is_not_trusted_by_default() -> None:
    assert Checkpoint.model_fields["trust_remote_code"].default is False


@pytest.fixture
def no_network(monkeypatch) -> list[object]:
    """Refuses every connection and look-up of a name, and keeps what was asked for."""
    asked: list[object] = []

    def refuse(*words: object, **_others: object) -> None:
        asked.append(words[-1])
        raise OSError("no connection in this test")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    return asked


def test_a_study_of_files_at_hand_opens_no_connection(tmp_path, no_network) -> None:
    (tmp_path / "text").mkdir()
    for language in ("eng_Latn", "deu_Latn"):
        (tmp_path / "text" / f"{language}.txt").write_text("\n".join(TEXTS[language]) + "\n")
        (tmp_path / "text" / f"{language}.tsv").write_text(items_of(TEXTS[language]))
    (tmp_path / "text" / "problems.txt").write_text("two and two\nthree and one\n")
    make_model().save_pretrained(tmp_path / "models" / "tiny")
    make_tokenizer().save_pretrained(tmp_path / "models" / "tiny")
    write_params(tmp_path, ["eng_Latn", "deu_Latn"])
    stage(tmp_path, "resolve")
    for script in ("fetch", "trace", "align"):
        stage(tmp_path, script, "--model", "tiny")
    stage(tmp_path, "ask", "--purpose", "evaluate", "--model", "tiny")
    stage(tmp_path, "score", "--model", "tiny")
    assert no_network == []
    with pytest.raises(OSError, match="no connection"):
        socket.create_connection(("127.0.0.1", 9))

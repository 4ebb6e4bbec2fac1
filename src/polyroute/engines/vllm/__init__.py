"""vLLM, steered by a plugin that vLLM finds by itself; nothing of vLLM is copied or edited on disk.

    POLYROUTE_PLAN=plans/mgsm.json vllm serve MODEL

Importing this package imports no vLLM: only `plugin.register`, which vLLM calls, and what runs inside its processes do.

| module | what |
|---|---|
| `given` | which plans a process was given: environment variables, read once |
| `tables` | plans as tensors over slots and experts, and the edit from them; torch alone |
| `runner` | vLLM's runner of experts with the edit before the choice |
| `requests` | which plan each row of a step follows; the prefix cache's key |
| `door` | requests whose plan there is not are refused |
| `checks` | what is refused at start, and what each worker says of its layers |
| `worker` | what a worker can be asked while it runs: its report, other plans |
| `process`, `child` | an engine in an environment of its own, asked from any other |
| `plugin` | `register`, the entry point |
"""

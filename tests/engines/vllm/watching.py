"""A worker of vLLM that also tells which experts were chosen; imported in vLLM's own processes."""

from polyroute.engines.vllm.worker import Extension


class Watching(Extension):
    def polyroute_watch(self) -> None:
        from polyroute.engines.vllm.runner import layers

        self.chosen = {}
        for one in layers(self.model_runner.get_model()):
            chosen = self.chosen.setdefault(int(one.layer_id), [])
            one.router.set_capture_fn(lambda ids_TK, chosen=chosen: chosen.extend(ids_TK.tolist()))

    def polyroute_seen(self) -> dict:
        return self.chosen

"""Raw answers by hand, and the items that they answer."""

import pandas as pd


def raw_choices(*nats: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item_id": [f"i{number}" for number in range(len(nats))], "language": "eng_Latn",
            "log_likelihoods": list(nats), "tokens": [[1, 2]] * len(nats), "characters": [[4, 1]] * len(nats),
        }
    )  # fmt: skip


def number_task(*answers: str, language: str = "eng_Latn") -> pd.DataFrame:
    ids = [f"i{number}" for number in range(len(answers))]
    return pd.DataFrame(
        {"item_id": ids, "language": language, "split": "select", "prompt": "?", "answer": list(answers)}
    )


def raw_numbers(*outputs: str, finished: bool = True, language: str = "eng_Latn") -> pd.DataFrame:
    ids = [f"i{number}" for number in range(len(outputs))]
    return pd.DataFrame(
        {"item_id": ids, "language": language, "output": list(outputs), "tokens": 3, "finished": finished}
    )


class Recogniser:
    unknown = ("bam_Latn",)

    def of(self, text: str) -> str:
        return "eng_Latn" if text.isascii() else "deu_Latn"

"""Words of lm-evaluation-harness's prompts for MGSM, which stand before the question and before the answer.

Facts, taken over because prompts must be the harness's byte by byte; nothing else of it is here.
Source: github.com/EleutherAI/lm-evaluation-harness, tasks `mgsm_direct_{language}`, version 4.0 (releases 0.4.11 to
0.4.13; version 3.0 of release 0.4.10 asks in the same words). Licence: MIT.
"""

from __future__ import annotations

MGSM = {
    "ben_Beng": ("প্রশ্ন:", "Answer:"),
    "deu_Latn": ("Frage:", "Antwort:"),
    "eng_Latn": ("Question:", "Answer:"),
    "fra_Latn": ("Question :", "Réponse :"),
    "jpn_Jpan": ("問題：", "Answer:"),
    "rus_Cyrl": ("Задача:", "Answer:"),
    "spa_Latn": ("Pregunta:", "Respuesta:"),
    "swh_Latn": ("Swali:", "Answer:"),
    "tel_Telu": ("ప్రశ్న:", "Answer:"),
    "tha_Thai": ("โจทย์:", "Answer:"),
    "zho_Hans": ("问题：", "Answer:"),
}
"""FLORES code -> word before the question, which a blank follows in every language, and word before the answer."""
MGSM_STOPS = ("</s>", "<|im_end|>")
"""What ends an answer besides the word before a question."""
MGSM_NEW_TOKENS = 256
"""Where an answer is cut off: the harness's default, which the task leaves as it is."""

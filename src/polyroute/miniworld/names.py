"""Invented proper names, which mean nothing and are written alike in every language of a script."""

from polyroute.ground.errors import PolyrouteError

CONSONANTS = "bdkmnprstvz"
VOWELS = "aio"

# Vowels and consonants are few enough that no script writes two of them alike.
_LETTERS = {
    "Cyrl": dict(zip(CONSONANTS + VOWELS, "бдкмнпрствзаио", strict=True)),
    # One letter is written as two code points, so a string would not do.
    "Deva": dict(
        zip(CONSONANTS + VOWELS, ("ब", "द", "क", "म", "न", "प", "र", "स", "त", "व", "ज़", "ा", "ी", "ो"), strict=True)
    ),
    "Arab": dict(zip(CONSONANTS + VOWELS, "بدکمنپرستوزایو", strict=True)),
}
_SYLLABLES = {
    "Jpan": (
        "バ ビ ボ ダ ディ ド カ キ コ マ ミ モ ナ ニ ノ パ ピ ポ ラ リ ロ サ シ ソ タ ティ ト ヴァ ヴィ ヴォ ザ ジ ゾ"
    ),
    "Hans": "巴 比 博 达 迪 多 卡 基 科 马 米 莫 纳 尼 诺 帕 皮 波 拉 里 罗 萨 西 索 塔 蒂 托 瓦 维 沃 扎 吉 佐",
}


def write(name: str, language: str) -> str:
    """A name as a language writes it.

    Args:
        name: open syllables of `CONSONANTS` and `VOWELS` in lower case, such as `tarino`.
        language: FLORES code; its script decides the spelling.

    Raises:
        PolyrouteError: names cannot be written in the language's script.
    """
    script = language.partition("_")[2]
    if script == "Latn":
        return name.capitalize()
    if script in _SYLLABLES:
        table = dict(zip((c + v for c in CONSONANTS for v in VOWELS), _SYLLABLES[script].split(), strict=True))
        return "".join(table[name[i : i + 2]] for i in range(0, len(name), 2))
    if script not in _LETTERS:
        raise PolyrouteError(
            f"names of the mini world have no spelling in the script of `{language}`: add it to names.py"
        )
    written = "".join(_LETTERS[script][letter] for letter in name)
    if script == "Cyrl":
        # Ukrainian writes the sound of Russian и with і.
        return (written.replace("и", "і") if language == "ukr_Cyrl" else written).capitalize()
    return written

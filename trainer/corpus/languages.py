"""Which language a story is in, by its script and its commonest little words; small tables, no network.

Thirty function words make up a third of any running prose, so that a few dozen words are enough to tell. Names of
languages are ISO 639-1 codes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

FEWEST_WORDS = 20
"""Fewer words say nothing sure."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SAMPLE = 3_000
_CLEAR = 1.35
"""How many times as many words the likeliest language must have as the next."""

_LEAST_SHARE = 0.12

_TABLES: Final[Mapping[str, str]] = {
    "en": "the of and to a in that he was it his is with as had for she not at but be on her they you him i said all",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an er hat sie war",
    "fr": "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont elle avec",
    "es": "de la que el en y a los del se las por un para con no una su al lo como más pero sus le ya o este sí",
    "it": "di e il la che in a per un è del non una i si le con da alla dei nel della ma sono più gli era come lo ha",
    "pt": "de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou era",
    "nl": "de en van ik te dat die in een hij het niet zijn is was op aan met als voor had er maar om hem dan zou of",
    "sv": "och i att det som en på är av för med till den har de inte om ett han men var jag sig från vi så kan",
    "da": "og i at det er en til af på for med de den der som har ikke et var han jeg men sig fra vi om så kan hun",
    "no": "og i det er på en til som av for at med de har ikke den et han var jeg men seg fra vi om så kan hun etter",
    "fi": "ja on ei se että hän oli ovat joka mutta niin kuin minä sen olla myös kun mitä nyt ole jos sinä vain",
    "pl": "i w na z do nie się to że jest o jak po co ale tak za od przez był go jej dla ja czy już tylko jego",
    "cs": "a v na se je že to z s do o i k ve jako by jsem za ale po jsou tak si pro od bylo když byl nebo",
    "hu": "a az és hogy nem egy is volt ez meg csak de el már ha még mint azt ki van mert vagy én ő minden",
    "ro": "de și în la a cu nu o din că pe un mai pentru este se au ce sau prin era fi lui dar după el ca am",
    "tr": "ve bir bu da de için ile çok o ne gibi daha olarak ama var kadar sonra diye ben en mi değil her onun",
    "id": "yang dan di itu dengan untuk tidak ini dari dalam akan pada juga saya ke karena tersebut bisa ada mereka",
    "la": "et in est non ad ut cum sed qui quod si quae ex ab per hoc nec atque enim a me te quam aut esse eius",
    "ru": "и в не на я что он с как это а по но она к у из за его так же от все ты был бы мы меня то вы о",
    "uk": "і в не на я що він з як це а та до але вона у за його так же від все ти був би ми мене то ви про й",
}
_WORDS: Final[Mapping[str, frozenset[str]]] = {code: frozenset(words.split()) for code, words in _TABLES.items()}

_SCRIPTS: Final = (
    ("ja", re.compile("[\u3040-\u30ff]"), 0.1),  # kana among the Chinese characters make it Japanese
    ("zh", re.compile("[\u3400-\u9fff]"), 0.4),
    ("ko", re.compile("[\uac00-\ud7af]"), 0.4),
    ("ar", re.compile("[\u0600-\u06ff]"), 0.4),
    ("he", re.compile("[\u0590-\u05ff]"), 0.4),
    ("hi", re.compile("[\u0900-\u097f]"), 0.4),
    ("th", re.compile("[\u0e00-\u0e7f]"), 0.4),
    ("el", re.compile("[\u0370-\u03ff]"), 0.4),
)


def find_language(text: str) -> str:
    """Return the code of a text's language, empty where its words don't say."""
    sample = _take_sample(text)
    letters = 0 if sample.isascii() else sum(map(str.isalpha, sample))
    for code, pattern, share in _SCRIPTS:
        if letters >= FEWEST_WORDS and len(pattern.findall(sample)) >= share * letters:
            return code
    words = [word.replace("’", "'") for word in _WORD.findall(sample.lower())]
    if len(words) < FEWEST_WORDS:
        return ""
    counts = Counter(words)
    scores = sorted(
        ((sum(counts[word] for word in known), code) for code, known in _WORDS.items()),
        reverse=True,
    )
    (best, code), (next_best, _) = scores[0], scores[1]
    return code if best >= _LEAST_SHARE * len(words) and best >= _CLEAR * next_best else ""


def _take_sample(text: str) -> str:
    """Return the beginning, the middle and the end of a long text: a preface may be in another language."""
    if len(text) <= 3 * _SAMPLE:
        return text
    middle = len(text) // 2
    return f"{text[:_SAMPLE]} {text[middle : middle + _SAMPLE]} {text[-_SAMPLE:]}"

"""Text to tokens and back: the model's own byte-level tokenizer, and a decoder that speaks in whole characters."""

from __future__ import annotations

import codecs
import re
import unicodedata
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

import numpy as np
import tokenizers
from numpy.typing import NDArray

from storydesk.domain.failures import FailureCode, StorydeskError

_LARGEST_FILE = 64 << 20
_PROBE = "It's 9 o'clock -- \"so\"...\n\nÄé€ 中 \U0001f469\u200d\U0001f680 e\u0301  x"
_JOINER = "\u200d"
# Anything but white space may become part of a longer character: letters take marks, digits become keycaps.
_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff]")
_VIRAMA = 9  # Unicode's combining class of the mark that joins two consonants to one
_EXTENDING = frozenset({"Sk", "Mn", "Mc", "Me", "Cf"})


class TextTokenizer:
    """A byte-level BPE tokenizer. Lives on one thread at a time."""

    def __init__(self, path: Path, name: str, vocabulary: int) -> None:
        """Read tokenizer.json and hold it against the model; raise StorydeskError(MODEL_NOT_LOADED)."""
        self._tokenizer = _load(path, name)
        if self._tokenizer.get_vocab_size(with_added_tokens=True) > vocabulary:
            raise _refuse(name, "its tokenizer has more tokens than it knows")
        self._bytes = self._list_token_bytes(vocabulary)
        try:
            same = self.decode(self.encode(_PROBE)) == _PROBE
        except Exception as error:
            raise _refuse(name, f"its tokenizer fails ({str(error)[:80]})") from error
        if not same:
            raise _refuse(name, "its tokenizer does not give the text back")

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text; a special token's name in it is text like any other."""
        return list(self._tokenizer.encode(replace_surrogates(text), add_special_tokens=False).ids)

    def decode(self, ids: list[int]) -> str:
        """Return the text of token ids, bytes that form no character left out."""
        return b"".join(self._bytes[token] for token in ids).decode("utf-8", "ignore")

    def token_bytes(self, token: int) -> bytes:
        """Return the UTF-8 bytes that a token stands for, part of a character at times; empty for special ones."""
        return self._bytes[token]

    def find_words(self) -> NDArray[np.bool_]:
        """Return [vocabulary]: whether a token carries letters, digits or parts of characters, not just marks."""
        return np.array([any(byte > 127 or chr(byte).isalnum() for byte in piece) for piece in self._bytes])

    def find_breaks(self) -> frozenset[int]:
        """Return the tokens that end a line."""
        return frozenset(token for token, piece in enumerate(self._bytes) if piece.endswith(b"\n"))

    def measure_spans(self, text: str, ids: list[int]) -> list[tuple[int, int]]:
        """Return each token's span of ``text`` in code points, without gaps.

        A character that several tokens share belongs to the one that completes it; the others' spans are empty.
        """
        ends = list(accumulate(len(character.encode("utf-8", "replace")) for character in replace_surrogates(text)))
        spans = []
        reached, start = 0, 0
        for token in ids:
            reached += len(self._bytes[token])
            end = bisect_right(ends, reached)
            spans.append((start, end))
            start = end
        return spans

    def _list_token_bytes(self, vocabulary: int) -> list[bytes]:
        alphabet = {character: byte for byte, character in _byte_alphabet().items()}
        added = self._tokenizer.get_added_tokens_decoder()
        pieces = [b""] * vocabulary
        for token, number in self._tokenizer.get_vocab(with_added_tokens=True).items():
            if not 0 <= number < vocabulary:
                continue
            if number in added:
                pieces[number] = b"" if added[number].special else token.encode("utf-8", "replace")
            elif all(character in alphabet for character in token):
                pieces[number] = bytes(alphabet[character] for character in token)
        return pieces


class TextStream:
    """Joins tokens to text and lets only whole characters out, emoji of several code points included.

    Bytes that form no character are left out. Lives on one thread; one stream for one text.
    """

    def __init__(self, tokenizer: TextTokenizer) -> None:
        """Start before the first token."""
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        self._held = ""
        self.decoded = 0
        """Code points that the tokens so far have completed, those held back included."""

    def feed(self, token: int) -> str:
        """Return the text that is certain after one more token, often more or less than the token's own."""
        fresh = self._decoder.decode(self._tokenizer.token_bytes(token))
        self.decoded += len(fresh)
        text = self._held + fresh
        end = _find_settled_end(text)
        self._held = text[end:]
        return text[:end]

    def finish(self) -> str:
        """Return what was held back; half a character is dropped."""
        text, self._held = self._held, ""
        self._decoder.reset()
        return text


def replace_surrogates(text: str) -> str:
    """Return the text with each lone surrogate, which has no UTF-8, as U+FFFD; the length stays."""
    if not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)


def _find_settled_end(text: str) -> int:
    """Return where the last character starts if it could still grow, else the text's end."""
    if not text or text[-1].isspace():
        return len(text)
    start = len(text) - 1
    while start > 0 and _belong_together(text[start - 1], text[start]):
        start -= 1
    return start


def _belong_together(left: str, right: str) -> bool:
    """Say whether two neighbours may be parts of what a reader sees as one character; flags are pairs of letters."""
    flags = all("\U0001f1e6" <= character <= "\U0001f1ff" for character in (left, right))
    jamo = bool(_JAMO.match(left) and _JAMO.match(right))
    conjunct = unicodedata.combining(left) == _VIRAMA and right.isalpha()
    return flags or jamo or conjunct or left == _JOINER or _extends(right)


def _extends(character: str) -> bool:
    return not character.isascii() and unicodedata.category(character) in _EXTENDING


def _byte_alphabet() -> dict[int, str]:
    """Return GPT-2's printable stand-in for every byte: itself where printable, else counted up from 256."""
    printable = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = (byte for byte in range(256) if byte not in printable)
    alphabet = {byte: chr(byte) for byte in printable}
    alphabet.update({byte: chr(256 + count) for count, byte in enumerate(others)})
    return alphabet


def _load(path: Path, name: str) -> tokenizers.Tokenizer:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise _refuse(name, "its tokenizer.json is too large")
        tokenizer = tokenizers.Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except (StorydeskError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the library's panics are no Exception
        raise _refuse(name, f"its tokenizer.json can't be used ({str(error)[:80]})") from error
    if not isinstance(tokenizer.model, tokenizers.models.BPE):
        raise _refuse(name, "its tokenizer is not GPT-2's kind")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer


def _refuse(name: str, detail: str) -> StorydeskError:
    return StorydeskError(FailureCode.MODEL_NOT_LOADED, name=name, detail=detail)

"""Bytes to text: byte order marks first, then UTF-8, then what charset_normalizer thinks."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from trainer.protocol.failures import TrainerError, TrainerFailure

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MEGABYTE = 1_000_000

LARGEST_WHOLE = 100
"""Megabytes of a file that is read as a whole; a single text of more is no story."""

LARGEST_TABLE = 4_000
"""Megabytes of a file that is read line by line."""

LARGEST_LINE = 16_000_000
"""Characters of one line, or of one cell, that may be a story."""

_SAMPLE = 1 << 16
_CONTROLS = frozenset(range(32)) - {7, 8, 9, 10, 11, 12, 13, 26, 27}
# How often controls may stand in text (form feeds of scanners, stray bytes) before it counts as binary.
_CONTROL_SHARE = 0.005
_LATIN = frozenset(
    {
        "cp1252",
        "latin_1",
        "iso8859_15",
        "cp1250",
        "iso8859_2",
        "cp1254",
        "iso8859_9",
        "cp1257",
        "iso8859_13",
        "mac_roman",
    }
)
_LATIN_SHARE = 0.25
_USUAL = ("cp1252", "cp1250", "mac_roman")
_MISFITS = re.compile(
    "\ufffd|(?<=[a-z])[\u00a1-\u00a9\u00ac\u00ae\u00af\u00b1-\u00b4\u00b6\u00b8\u00b9\u00bc-\u00de\u0152\u0160\u017d"
    "\u02c6\u02dc\u2020\u2021\u2030\u2211\u221e\u2260]"
)
"""Capitals and signs inside words: they come of a wrong encoding."""

_SIGNATURES = (
    b"%PDF-",
    b"PK\x03\x04",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"\x1f\x8b",
    b"\xd0\xcf\x11\xe0",
    b"\x7fELF",
    b"SQLite format 3",
)


def read_text(path: Path, megabytes: int = LARGEST_WHOLE) -> str:
    """Return the text of a file.

    Raise TrainerError(DATA_NOT_READABLE) for binary content or a file we may not read, FILE_TOO_LARGE.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(_SAMPLE)
            # Two hundred megabytes of film are refused after the first block, not after reading them all.
            refuse_binary(head, path)
            refuse_large(path, megabytes)
            raw = head + stream.read(megabytes * _MEGABYTE)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error
    return decode_bytes(raw, path)


def open_text(path: Path, newline: str = "\n") -> TextIO:
    """Return a file as text that can be read line by line, with its own line ends; raise like ``read_text``.

    ``newline`` is what ends a line: a line feed, or with "" whatever ends one anywhere. A file that is too large to be
    read as a whole is decoded as it goes, in the encoding of its beginning.
    """
    try:
        size = path.stat().st_size
        if size <= LARGEST_WHOLE * _MEGABYTE:
            return io.StringIO(read_text(path), newline=newline)
        refuse_large(path, LARGEST_TABLE)
        stream = path.open("rb")
        with io.BytesIO(stream.read(_SAMPLE)) as head:
            refuse_binary(head.getvalue(), path)
            encoding = _guess_encoding(head.getvalue())
        stream.seek(0)
        return io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=newline)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error


def read_lines(stream: TextIO, path: Path) -> Iterator[str]:
    """Yield lines with their ends; raise TrainerError for a line of many megabytes."""
    number = 0
    try:
        while line := stream.readline(LARGEST_LINE):
            number += 1
            if len(line) >= LARGEST_LINE:
                raise unreadable(path, f"line {number}")
            yield line
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error


def refuse_large(path: Path, megabytes: int) -> None:
    """Raise TrainerError(FILE_TOO_LARGE) for a file that would take too much memory."""
    size = path.stat().st_size
    if size > megabytes * _MEGABYTE:
        raise TrainerError(
            TrainerFailure.FILE_TOO_LARGE, path=str(path), megabytes=round(size / _MEGABYTE), limit=megabytes
        )


def refuse_binary(head: bytes, path: Path) -> None:
    """Raise TrainerError(DATA_NOT_READABLE) where the first bytes of a file are not those of text."""
    if any(head.startswith(mark) for mark, _ in _MARKS) or _guess_utf16(head):
        return
    if any(head.startswith(signature) for signature in _SIGNATURES):
        raise unreadable(path, "binary")
    controls = sum(1 for byte in head if byte in _CONTROLS)
    if controls > len(head) * _CONTROL_SHARE:
        raise unreadable(path, "binary")


def decode_bytes(raw: bytes, path: Path) -> str:
    """Return the text behind ``raw``; a broken character becomes U+FFFD, which the cleaner counts."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace")
    without_mark = _guess_utf16(raw[:_SAMPLE])
    if without_mark:
        return raw.decode(without_mark, errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        # A single broken byte deep in UTF-8 text must not turn the whole of it into another encoding.
        if _is_mostly_utf8(raw):
            return raw.decode("utf-8", errors="replace")
        return _decode_by_guess(raw, path, error)


def unreadable(path: Path, detail: str) -> TrainerError:
    """Return the failure of a file that is there and can't be read as text."""
    return TrainerError(TrainerFailure.DATA_NOT_READABLE, path=str(path), detail=detail)


def _guess_utf16(head: bytes) -> str | None:
    """Return the UTF-16 flavour of text without a mark: nearly every other byte is zero."""
    if len(head) < 16:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > half * 0.7 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.7 and odd < half * 0.05:
        return "utf-16-be"
    return None


def _guess_encoding(head: bytes) -> str:
    """Return the encoding that the beginning of a large file is in."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    without_mark = _guess_utf16(head)
    if without_mark:
        return without_mark
    # The last character of a block may be cut in two.
    return "utf-8" if head.isascii() or _is_mostly_utf8(head[:-3]) else "cp1252"


def _is_mostly_utf8(raw: bytes) -> bool:
    """Say whether the bytes beyond ASCII form UTF-8 sequences in all but a few places."""
    text = raw[: _SAMPLE * 4].decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    beyond_ascii = sum(1 for character in text if character > "\x7f")
    return broken * 4 <= beyond_ascii - broken


def _decode_by_guess(raw: bytes, path: Path, cause: UnicodeDecodeError) -> str:
    from charset_normalizer import from_bytes

    start = max(0, cause.start - _SAMPLE // 2)
    sample = raw[start : start + _SAMPLE]
    beyond = sum(1 for byte in sample if byte > 0x7F)
    # In Russian, Greek or Japanese nearly every letter is beyond ASCII; what is mostly ASCII is a Latin script.
    is_latin = beyond < len(sample) * _LATIN_SHARE
    matches = [match for match in from_bytes(sample) if not is_latin or match.encoding in _LATIN]
    # Where nothing fits better, Windows' western encoding is what old manuscripts are in.
    encoding = "cp1252"
    if matches and not matches[0].encoding.startswith("utf"):
        best = matches[0]
        equals = {match.encoding for match in matches if (match.chaos, match.coherence) == (best.chaos, best.coherence)}
        encoding = encoding if encoding in equals else best.encoding
    if is_latin:
        # Few letters beyond ASCII are little to guess by; what they make of words says more.
        encoding = min((encoding, *_USUAL), key=lambda name: _count_misfits(sample, name))
    text = raw.decode(encoding, errors="replace")
    if text.count("\ufffd") > max(8, len(text) // 50):
        raise unreadable(path, "encoding") from cause
    return text


def _count_misfits(sample: bytes, encoding: str) -> int:
    return len(_MISFITS.findall(sample.decode(encoding, errors="replace")))

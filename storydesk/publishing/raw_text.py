"""From files to bytes to text: limits first, then what kind of file it is, then its encoding."""

from __future__ import annotations

import codecs
import stat
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError

LIMIT_MEGABYTES = 50
_MEGABYTE = 1_000_000
_SAMPLE = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # its first half is the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY_STARTS = (
    b"%PDF-", b"PK\x03\x04", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"\x7fELF",
    b"SQLite format 3", b"{\\rtf", b"MZ\x90\x00", b"RIFF", b"OggS", b"ID3",
)  # fmt: skip
_CONTROLS = frozenset(range(32)) - set(b"\a\b\t\n\v\f\r\x1a\x1b") | {0x7F}
# A few stray controls are what old programs leave in text.
_CONTROL_SHARE = 0.005
# What Windows' western encoding has for letters and typography of English and its neighbours.
_WESTERN = frozenset("…–—‘’‚“”„•™€†‡‰‹›«»°§©®£¥½¼¾¿¡·´¨ªº×÷\u00a0\u00ad") | {
    chr(code) for code in range(0xC0, 0x100)
}  # fmt: skip


def read_bytes(path: Path) -> bytes:
    """Return what is in a file; raise FILE_NOT_FOUND, FILE_NOT_READABLE, FILE_TOO_LARGE, FILE_EMPTY."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            detail = "it is a folder" if stat.S_ISDIR(status.st_mode) else "it is not a file"
            raise StorydeskError(FailureCode.FILE_NOT_READABLE, path=str(path), detail=detail)
        refuse_large(path, status.st_size)
        if status.st_size == 0:
            raise StorydeskError(FailureCode.FILE_EMPTY, path=str(path))
        with path.open("rb") as stream:
            raw = stream.read(LIMIT_MEGABYTES * _MEGABYTE + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StorydeskError(FailureCode.FILE_NOT_FOUND, path=str(path)) from error
    except (OSError, ValueError) as error:
        detail = (getattr(error, "strerror", None) or str(error)).lower()
        raise StorydeskError(FailureCode.FILE_NOT_READABLE, path=str(path), detail=detail) from error
    refuse_large(path, len(raw))  # it may have grown meanwhile
    return raw


def refuse_large(path: Path, size: int) -> None:
    """Raise FILE_TOO_LARGE for more bytes than a story has."""
    if size > LIMIT_MEGABYTES * _MEGABYTE:
        megabytes = -(-size // _MEGABYTE)
        raise StorydeskError(FailureCode.FILE_TOO_LARGE, path=str(path), megabytes=megabytes, limit=LIMIT_MEGABYTES)


def decode_text(raw: bytes, path: Path) -> str:
    """Return the text in a file's bytes; raise StorydeskError(FILE_BINARY) where they are none."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace")
    head = raw[:_SAMPLE]
    wide = _find_wide(head)
    if wide:
        return raw.decode(wide, errors="replace")
    controls = sum(1 for byte in head if byte in _CONTROLS)
    if any(head.startswith(start) for start in _BINARY_STARTS) or controls > len(head) * _CONTROL_SHARE:
        raise StorydeskError(FailureCode.FILE_BINARY, path=str(path))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return _decode_unknown(raw, error.start)


def _find_wide(head: bytes) -> str | None:
    """Return the flavour of UTF-16 without a mark: every other byte of western text is zero."""
    half = len(head) // 2
    if half < 4:
        return None
    even, odd = head[0 : half * 2 : 2].count(0), head[1 : half * 2 : 2].count(0)
    if odd > half * 0.7 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.7 and odd < half * 0.05:
        return "utf-16-be"
    return None


def _decode_unknown(raw: bytes, broken: int) -> str:
    """Decode what is not UTF-8; ``broken`` is where that was noticed."""
    start = max(0, broken - _SAMPLE // 2)
    sample = raw[start : start + _SAMPLE]
    as_utf8 = sample.decode("utf-8", errors="replace")
    beyond = sum(1 for character in as_utf8 if character > "\x7f")
    if as_utf8.count("\ufffd") * 4 < beyond:  # UTF-8 with a broken place
        return raw.decode("utf-8", errors="replace")
    western = {chr_ for chr_ in sample.decode("cp1252", errors="replace") if chr_ > "\x7f"}
    if western <= _WESTERN and not _looks_like_capitals(sample):
        return raw.decode("cp1252", errors="replace")
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    return raw.decode(best.encoding if best is not None else "cp1252", errors="replace")


def _looks_like_capitals(sample: bytes) -> bool:
    """Return whether most letters are beyond ASCII: then it is Cyrillic or Greek, which look western byte by byte."""
    beyond = sum(1 for byte in sample if byte >= 0xC0)
    letters = sum(1 for byte in sample if byte < 0x80 and chr(byte).isalpha())
    return beyond > letters

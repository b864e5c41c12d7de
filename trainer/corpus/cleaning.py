"""Bring stories into the model's text form and say what was changed or left out, and why.

Reasons for changes: ``encoding``, ``line_marks``, ``tags``, ``markup``, ``remarks``, ``detokenised``, ``unprintable``,
``parts``, ``typography``. Reasons for leaving out: ``empty``, ``too_short``, ``removed_by_author``, ``duplicate``.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace

from trainer.corpus.document import CleaningReport, Document
from trainer.text.ngrams import count_words
from trainer.text.normaliser import normalise_text

FEWEST_WORDS = 20
"""A story with fewer words teaches a model to stop at once."""

LONGEST_PART = 2_500
"""Words after which a story is cut at a paragraph's end; the parts stay on one side of the split."""

_MARKS = re.compile(r"\s*<\s*(?:newline|br\s*/?|/?\s*p)\s*>\s*", re.IGNORECASE)
_PROMPT_TAG = re.compile(r"^\s*[\[(]\s*[A-Za-z]{2,4}\s*[\])]\s*:?\s*")
_END_OF_TEXT = re.compile(r"<\|\s*(?:end\s*of\s*text|startoftext|im_start|im_end|pad)\s*\|>", re.IGNORECASE)
_CODE = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_ELEMENT = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]{0,300})?/?>|<!--.*?-->", re.DOTALL)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z]{2,8});")
_LINK = re.compile(r"!?\[([^\]\n]{0,300})\]\((?:[^()\s]|\([^()\s]*\)){1,500}\)")
_BARE_LINK = re.compile(r"\b(?:https?://|www\.)\S+")
_STRONG = re.compile(r"(?<![\w*])(\*{1,3}|__)(?=\S)([^*_\n]{1,400}?)(?<=\S)\1(?![\w*])")
_UNDERLINED = re.compile(r"(?<!\w)_(?=\S)([^_\n]{1,400}?)(?<=\S)_(?!\w)")
_HEADING_MARK = re.compile(r"^[ \t]*#{1,6}[ \t]+", re.MULTILINE)
_QUOTE_MARK = re.compile(r"^[ \t]*>[ \t]?", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:[-_=]{4,}|(?:[-*_][ \t]*){3,})[ \t]*$", re.MULTILINE)
_REMARK = re.compile(
    r"^[ \t]*[*_(\[]*(?:edit(?:ed)?[ \t]*\d*[ \t]*(?:\([^)\n]*\))?[ \t]*[:;\-]|tl;?dr\b"
    r"|i am a bot\b|reminder for writers\b"
    r"|welcome to the prompt\b|off[- ]topic discussion\b|(?:thanks|thank you) for (?:the gold|reading)\b"
    r"|(?:please )?(?:visit|check out|subscribe to)? ?/?r/\w+\b"
    r"|feedback (?:is )?(?:always )?(?:welcome|appreciated)\b).*$",
    re.IGNORECASE | re.MULTILINE,
)
_REMOVED = re.compile(r"^\W*(?:deleted|removed)\W*$", re.IGNORECASE)
_MODERATOR = re.compile(r"\bi am a bot\b|\boff[- ]topic (?:discussion|comments?)\b", re.IGNORECASE)
# UTF-8 read as Windows-1252: each beyond-ASCII letter shows as two or three of these.
_MOJIBAKE = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014"
    "\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]{1,3}"
)
_DOUBLED_QUOTES = re.compile(r"``|''")


def clean_documents(documents: Iterable[Document], normaliser: str, report: CleaningReport) -> list[Document]:
    """Return the documents worth learning from, normalised and cut to parts; ``report`` says what was done."""
    kept: list[Document] = []
    seen: set[bytes] = set()
    for document in documents:
        cleaned = clean_document(document, normaliser, report)
        if cleaned is None:
            continue
        digest = fingerprint_story(cleaned.story)
        if digest in seen:
            report.note_drop("duplicate", cleaned.story)
            continue
        seen.add(digest)
        parts = list(cut_to_parts(cleaned))
        if len(parts) > 1:
            report.note_change("parts", cleaned.story)
        kept.extend(parts)
    return kept


def clean_document(document: Document, normaliser: str, report: CleaningReport) -> Document | None:
    """Return one document in the model's form, or None (and a reason in ``report``) where nothing is left to learn."""
    if not document.story.strip():
        report.note_drop("empty", document.prompt or document.source)
        return None
    if _REMOVED.match(document.story) or (len(document.story) < 2_000 and _MODERATOR.search(document.story)):
        report.note_drop("removed_by_author", document.story)
        return None
    reasons: list[str] = []
    story = _clean(document.story, reasons)
    prompt = _clean(document.prompt, reasons)
    tagless = _PROMPT_TAG.sub("", prompt)
    if tagless != prompt:
        reasons.append("tags")
    form = normalise_text(story, normaliser).strip()
    if form != story.strip():
        reasons.append("typography")
    for reason in dict.fromkeys(reasons):
        report.note_change(reason, document.story if reason != "tags" else document.prompt)
    if count_words(form) < FEWEST_WORDS:
        report.note_drop("too_short", form or document.story)
        return None
    head = " ".join(normalise_text(tagless, normaliser).split())
    return replace(document, story=form, prompt=head)


def cut_to_parts(document: Document, longest: int = LONGEST_PART) -> Iterator[Document]:
    """Yield the document, or parts of about ``longest`` words that end with a paragraph (or, without any, a sentence).

    All parts name the same ``whole``, so that the split keeps them together.
    """
    if count_words(document.story) <= longest:
        yield document
        return
    whole = fingerprint_story(document.story).hex()
    pieces = _split_pieces(document.story, longest)
    current: list[str] = []
    words = 0
    for piece in pieces:
        size = count_words(piece)
        if current and words + size > longest:
            yield replace(document, story="".join(current).strip(), whole=whole)
            current, words = [], 0
        current.append(piece)
        words += size
    rest = "".join(current).strip()
    if rest:
        yield replace(document, story=rest, whole=whole)


def _split_pieces(story: str, longest: int) -> Iterator[str]:
    """Yield paragraphs with the break after them, and sentences or bare words of a paragraph that is too long."""
    for paragraph in re.split(r"(?<=\n\n)", story):
        if count_words(paragraph) <= longest:
            yield paragraph
            continue
        for sentence in re.split(r"(?<=[.!?][\"' ] )|(?<=[.!?] )", paragraph):
            words = sentence.split(" ")
            for start in range(0, len(words), longest):
                chunk = " ".join(words[start : start + longest])
                yield chunk + (" " if start + longest < len(words) else "")


def _clean(text: str, reasons: list[str]) -> str:
    """Return the text without what is no prose, adding a reason to ``reasons`` for each kind of change."""
    for reason, change in (
        ("encoding", repair_encoding),
        ("line_marks", _replace_marks),
        ("markup", strip_markup),
        ("remarks", _strip_remarks),
        ("detokenised", detokenise),
        ("unprintable", _strip_unprintable),
    ):
        changed = change(text)
        if changed != text:
            reasons.append(reason)
        text = changed
    return text


def repair_encoding(text: str) -> str:
    """Return the text with UTF-8 that was read as Windows-1252 read again, and without replacement characters."""

    def decode(match: re.Match[str]) -> str:
        for encoding in ("cp1252", "latin-1"):
            try:
                return match.group().encode(encoding).decode("utf-8")
            except UnicodeError:
                continue
        return match.group()

    return _MOJIBAKE.sub(decode, text).replace("\ufffd", "")


def strip_markup(text: str) -> str:
    """Return the text without HTML, entities, Markdown's marks, links' addresses and models' own marks."""
    text = _END_OF_TEXT.sub("", text)
    text = _CODE.sub("", text)
    text = _ELEMENT.sub("", text)
    text = _ENTITY.sub(lambda match: html.unescape(match.group()), text)
    text = _LINK.sub(r"\1", text)
    text = _BARE_LINK.sub("", text)
    text = _RULE.sub("", text)
    text = _HEADING_MARK.sub("", text)
    text = _QUOTE_MARK.sub("", text)
    text = _STRONG.sub(r"\2", text)
    return _UNDERLINED.sub(r"\1", text)


def detokenise(text: str) -> str:
    """Return text whose words and marks were set apart by spaces as it is printed; other text stays as it is."""
    apart = len(re.findall(r"\s[.,!?;](?=\s|$)| n't\b| '(?:s|re|ll|ve|m|d)\b", text))
    if apart < 3 or apart < count_words(text) / 25:
        return text
    text = _DOUBLED_QUOTES.sub('"', text)
    text = re.sub(r"[ \t]+([.,!?;:%)\]])", r"\1", text)
    text = re.sub(r"([(\[$])[ \t]+", r"\1", text)
    text = re.sub(r"[ \t]+(n't|'(?:s|re|ll|ve|m|d|S|RE|LL|VE|M|D))\b", r"\1", text)
    return "\n".join(_close_quotes(line) for line in text.split("\n"))


def _close_quotes(line: str) -> str:
    """Return a line whose straight double quotes hug what they quote: odd ones open, even ones close."""
    pieces = line.split('"')
    if len(pieces) < 3 or len(pieces) % 2 == 0:
        return line
    quoted = [piece.strip() if index % 2 else piece for index, piece in enumerate(pieces)]
    return '"'.join(quoted)


def _replace_marks(text: str) -> str:
    return _MARKS.sub("\n", text)


def _strip_remarks(text: str) -> str:
    return _REMARK.sub("", text)


def _strip_unprintable(text: str) -> str:
    """Return the text without control, private and unassigned characters; breaks, tabs and joiners stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        for character in text
        if character in "\n\r\t\v\f\u0085" or unicodedata.category(character) not in ("Cc", "Co", "Cs", "Cn")
    )


def fingerprint_story(story: str) -> bytes:
    """Return a digest that two copies share in spite of case, spacing and punctuation."""
    letters = "".join(character for character in story.casefold() if character.isalnum())
    return hashlib.sha256(letters.encode("utf-8", "surrogatepass")).digest()

"""Bring stories into the model's text form and say what was changed or left out, and why.

Reasons for changes: ``encoding``, ``line_marks``, ``tags``, ``markup``, ``remarks``, ``detokenised``, ``unprintable``,
``parts``, ``typography``. Reasons for leaving out: ``empty``, ``too_short``, ``removed_by_author``, ``duplicate``.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace

from trainer.corpus.document import CleaningReport, Document
from trainer.text.mending import repair_encoding, replace_marks, strip_markup, strip_remarks
from trainer.text.ngrams import count_words
from trainer.text.normaliser import normalise_text
from trainer.text.parts import LONGEST_PART, cut_words

FEWEST_WORDS = 20
"""A story with fewer words teaches a model to stop at once."""

FEWEST_PASSAGE_WORDS = 5
"""A passage goes on from something and doesn't end: a sentence of one is worth learning."""

_PROMPT_TAG = re.compile(r"^\s*[\[(]\s*[A-Za-z]{2,4}\s*[\])]\s*:?\s*")
_REMOVED = re.compile(r"^\W*(?:deleted|removed)\W*$", re.IGNORECASE)
_MODERATOR = re.compile(r"\bi am a bot\b|\boff[- ]topic (?:discussion|comments?)\b", re.IGNORECASE)
_NO_LETTERS = re.compile(r"[\W_]+")
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
    if count_words(form) < (FEWEST_WORDS if document.before is None else FEWEST_PASSAGE_WORDS):
        report.note_drop("too_short", form or document.story)
        return None
    head = " ".join(normalise_text(tagless, normaliser).split())
    if document.before is None:
        return replace(document, story=form, prompt=head)
    before = normalise_text(_clean(document.before, []), normaliser)
    if document.before[-1:].isspace() and not before[-1:].isspace():
        before += document.before[-1:]  # cleaning took the space at which the two meet
    return replace(document, story=_find_indent(document.story) + form, prompt=head, before=before)


def _find_indent(text: str) -> str:
    """Return the white space that a passage begins with: without it, its first word would hang on the one before."""
    return text[: len(text) - len(text.lstrip())]


def cut_to_parts(document: Document, longest: int = LONGEST_PART) -> Iterator[Document]:
    """Yield the document, or parts of about ``longest`` words that end with a paragraph (or, without any, a sentence).

    All parts name the same ``whole``, so that the split keeps them together.
    """
    if count_words(document.story) <= longest:
        yield document
        return
    whole = fingerprint_story(document.story).hex()
    before = document.before
    for part in cut_words(document.story, longest):
        yield replace(document, story=part, whole=whole, before=before)
        before = before + part + "\n\n" if before is not None else None


def _clean(text: str, reasons: list[str]) -> str:
    """Return the text without what is no prose, adding a reason to ``reasons`` for each kind of change."""
    for reason, change in (
        ("encoding", repair_encoding),
        ("line_marks", replace_marks),
        ("markup", strip_markup),
        ("remarks", strip_remarks),
        ("detokenised", detokenise),
        ("unprintable", _strip_unprintable),
    ):
        changed = change(text)
        if changed != text:
            reasons.append(reason)
        text = changed
    return text


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
    letters = _NO_LETTERS.sub("", story.casefold())
    return hashlib.sha256(letters.encode("utf-8", "surrogatepass")).digest()

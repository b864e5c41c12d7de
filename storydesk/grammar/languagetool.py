"""LanguageTool through language_tool_python's client: slower than Harper and sees much more."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.polishing import Category, Finding
from storydesk.grammar.languagetool_server import LanguageToolServer
from storydesk.grammar.submission import Submission, cut
from storydesk.grammar.vocabulary import Vocabulary

_NAME = "languagetool"
_SUGGESTIONS = 8  # of up to forty; they come best first
_PIECE = 20_000  # code points: about two seconds of work, so that nothing runs into the client's time limit

_ISSUE_CATEGORIES = {
    "style": Category.STYLE,
    "register": Category.STYLE,
    "locale-violation": Category.STYLE,
    "duplication": Category.REPETITION,
    "whitespace": Category.TYPOGRAPHY,
}
_CATEGORIES = {
    "TYPOS": Category.SPELLING,
    "MULTITOKEN_SPELLING": Category.SPELLING,
    "COMPOUNDING": Category.SPELLING,
    "CASING": Category.GRAMMAR,
    "COLLOCATIONS": Category.GRAMMAR,
    "CONFUSED_WORDS": Category.GRAMMAR,
    "GRAMMAR": Category.GRAMMAR,
    "MISC": Category.GRAMMAR,
    "NONSTANDARD_PHRASES": Category.GRAMMAR,
    "SEMANTICS": Category.GRAMMAR,
    "PUNCTUATION": Category.PUNCTUATION,
    "TYPOGRAPHY": Category.TYPOGRAPHY,
    "REPETITIONS": Category.REPETITION,
    "REPETITIONS_STYLE": Category.STYLE,
    "REDUNDANCY": Category.STYLE,
    "STYLE": Category.STYLE,
    "PLAIN_ENGLISH": Category.STYLE,
    "WIKIPEDIA": Category.STYLE,
    "CREATIVE_WRITING": Category.STYLE,
    "AMERICAN_ENGLISH_STYLE": Category.STYLE,
    "BRITISH_ENGLISH": Category.STYLE,
    "GENDER_NEUTRALITY": Category.STYLE,
}

# Three sentences that begin alike are a figure in fiction; the rule proposes "Furthermore, he".
_OFF_IN_FICTION = frozenset({"ENGLISH_WORD_REPEAT_BEGINNING_RULE"})

_GOOD_REPETITIONS = frozenset({"had had", "that that"})


class LanguageToolChecker:
    """The LanguageTool checker. Any thread; two at once wait for each other, ``close`` breaks off a check."""

    def __init__(self, server: LanguageToolServer | None = None, language: str = "en-US") -> None:
        """Keep the wish; the server starts at the first check."""
        self._server = server or LanguageToolServer()
        self._language = language
        self._vocabulary = Vocabulary()
        self._lock = threading.Lock()
        self._client: Any = None
        self._client_address = ""
        self._closings = 0

    @property
    def name(self) -> str:
        """``languagetool``."""
        return _NAME

    def set_dictionary(self, words: Iterable[str]) -> None:
        """Replace the words that are never called misspelt."""
        self._vocabulary.set_words(words)

    def check(self, text: str) -> Sequence[Finding]:
        """Return findings in order; raise StorydeskError(GRAMMAR_UNAVAILABLE, JAVA_MISSING)."""
        if not text.strip():
            return []
        submission = Submission(text)
        found: list[Finding] = []
        with self._lock:
            closings = self._closings
            for offset, piece in cut(submission.text, _PIECE):
                found += self._findings(self._ask(piece, closings), offset, piece, submission)
        return sorted(found, key=lambda finding: (finding.start, finding.end, finding.rule))

    def close(self) -> None:
        """End the server and with it a check that is under way; the next check starts it again."""
        self._closings += 1
        self._server.stop()

    def _ask(self, piece: str, closings: int) -> list[Any]:
        """Return the client's matches; a server that died or fell asleep in between is started once more."""
        try:
            from language_tool_python import LanguageTool
            from language_tool_python.exceptions import LanguageToolError
            from requests import RequestException
        except ImportError as error:
            raise _unavailable(error) from error
        try:
            return self._ask_once(LanguageTool, piece)
        except (LanguageToolError, RequestException) as error:
            self._client = None
            if self._closings != closings:
                raise _unavailable(error) from error
            self._server.stop_if_dead()
        try:
            return self._ask_once(LanguageTool, piece)
        except (LanguageToolError, RequestException) as error:
            raise _unavailable(error) from error

    def _ask_once(self, client_class: Any, piece: str) -> list[Any]:
        with self._server.serving() as address:
            if self._client is None or self._client_address != address:
                # An empty proxy keeps the text on this machine where the environment names a real one.
                proxies = {"http": "", "https": ""}
                self._client = client_class(self._language, remote_server=address, proxies=proxies)
                self._client.disabled_rules = set(_OFF_IN_FICTION)
                self._client_address = address
            matches: list[Any] = self._client.check(piece)
            return matches

    def _findings(self, matches: Iterable[Any], offset: int, piece: str, submission: Submission) -> Iterator[Finding]:
        """Yield findings with places in the writer's own text."""
        for match in matches:
            end = _end_of(piece, match.offset, match.error_length)
            span = submission.original_span(offset + match.offset, offset + end)
            if span is None:
                continue
            passage = submission.original[slice(*span)]
            category = _category(match)
            if category is Category.SPELLING and self._vocabulary.knows(passage):
                continue
            if category is Category.REPETITION and passage.casefold() in _GOOD_REPETITIONS:
                continue
            suggestions = tuple(dict.fromkeys(text for text in match.replacements if text != passage))[:_SUGGESTIONS]
            yield Finding(*span, category, str(match.rule_id), str(match.message), suggestions, _NAME)


def _end_of(text: str, start: int, units: int) -> int:
    """Return where ``units`` UTF-16 units from ``start`` end, in code points (the client corrects starts only)."""
    position = start
    while units > 0 and position < len(text):
        units -= 2 if ord(text[position]) > 0xFFFF else 1
        position += 1
    return position


def _category(match: Any) -> Category:
    """Return the category of a match; what kind of issue it is goes before which shelf its rule stands on."""
    by_issue = _ISSUE_CATEGORIES.get(match.rule_issue_type)
    if by_issue is not None:
        return by_issue
    by_shelf = _CATEGORIES.get(match.category)
    if by_shelf is not None:
        return by_shelf
    return Category.SPELLING if match.rule_issue_type == "misspelling" else Category.OTHER


def _unavailable(error: Exception) -> StorydeskError:
    return StorydeskError(FailureCode.GRAMMAR_UNAVAILABLE, engine="LanguageTool", detail=str(error)[:300])

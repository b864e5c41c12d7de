"""LanguageTool through language_tool_python's client: slower than Harper and sees much more."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.polishing import Category, Finding
from storydesk.grammar.languagetool_server import LanguageToolServer, read_languages
from storydesk.grammar.submission import Submission, cut

EXPECTED_VERSION = "6.8"
"""What set-up fetches (packaging/languagetool) and what the categories and figures here were made with."""

_NAME = "languagetool"
_ENGINE = "LanguageTool"
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

# The rules that look words up; the others that call something a misspelling know the word and doubt its place.
_DICTIONARY = re.compile("SPELL|MORFOLOGIK|HUNSPELL|MULTITOKEN")

# Clauses joined without a comma, and a phrase said twice, are how fiction breathes.
_RULE_CATEGORIES = {"COMMA_COMPOUND_SENTENCE": Category.STYLE, "PHRASE_REPETITION": Category.STYLE}

# Three sentences that begin alike are a figure in fiction; the rule proposes "Furthermore, he".
_OFF_IN_FICTION = frozenset({"ENGLISH_WORD_REPEAT_BEGINNING_RULE"})

_GOOD_REPETITIONS = frozenset({"had had", "that that"})


class LanguageToolChecker:
    """The LanguageTool checker. Any thread; two at once wait for each other, ``close`` breaks off a check."""

    def __init__(self, server: LanguageToolServer | None = None) -> None:
        """Keep the wish; the server starts at the first check."""
        self._server = server or LanguageToolServer()
        self._lock = threading.Lock()
        self._client: Any = None
        self._client_language = ""
        self._client_address = ""
        self._closings = 0

    @property
    def name(self) -> str:
        """``languagetool``."""
        return _NAME

    @property
    def notices(self) -> Sequence[Failure]:
        """What the writer should hear though the check went well: a version that its rules were not tried with."""
        found = self._server.version
        if found in ("", EXPECTED_VERSION):
            return ()
        return (Failure(FailureCode.GRAMMAR_VERSION, {"found": found, "expected": EXPECTED_VERSION}),)

    def list_languages(self) -> Sequence[str]:
        """Return the codes of the languages whose rules are installed; starts the server.

        Raise StorydeskError(GRAMMAR_UNAVAILABLE, JAVA_MISSING).
        """
        with self._server.serving() as address:
            return read_languages(address)

    def check(self, text: str, language: str = "en-US") -> Sequence[Finding]:
        """Return findings in order; raise StorydeskError(GRAMMAR_UNAVAILABLE, GRAMMAR_LANGUAGE, JAVA_MISSING)."""
        if not text.strip():
            return []
        submission = Submission(text)
        found: list[Finding] = []
        with self._lock:
            closings = self._closings
            for offset, piece in cut(submission.text, _PIECE):
                found += self._findings(self._ask(piece, language, closings), offset, piece, submission)
        return sorted(found, key=lambda finding: (finding.start, finding.end, finding.rule))

    def close(self) -> None:
        """End the server and with it a check that is under way; the next check starts it again."""
        self._closings += 1
        self._server.stop()

    def _ask(self, piece: str, language: str, closings: int) -> list[Any]:
        """Return the client's matches; a server that died or fell asleep in between is started once more."""
        try:
            from language_tool_python import LanguageTool
            from language_tool_python.exceptions import LanguageToolError
            from requests import RequestException
        except ImportError as error:
            raise _unavailable(error) from error
        try:
            return self._ask_once(LanguageTool, piece, language)
        except (LanguageToolError, RequestException) as error:
            self._client = None
            if self._closings != closings:
                raise _unavailable(error) from error
            self._server.stop_if_dead()
        try:
            return self._ask_once(LanguageTool, piece, language)
        except (LanguageToolError, RequestException) as error:
            raise _unavailable(error) from error

    def _ask_once(self, client_class: Any, piece: str, language: str) -> list[Any]:
        with self._server.serving() as address:
            if self._client is None or (self._client_address, self._client_language) != (address, language):
                known = read_languages(address)
                if language not in known:
                    raise StorydeskError(
                        FailureCode.GRAMMAR_LANGUAGE, engine=_ENGINE, language=language, known=", ".join(known)
                    )
                # An empty proxy keeps the text on this machine where the environment names a real one.
                proxies = {"http": "", "https": ""}
                self._client = client_class(language, remote_server=address, proxies=proxies)
                self._client.disabled_rules = set(_OFF_IN_FICTION)
                self._client_address, self._client_language = address, language
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
    by_rule = _RULE_CATEGORIES.get(str(match.rule_id))
    if by_rule is not None:
        return by_rule
    if match.rule_issue_type == "misspelling" and not _DICTIONARY.search(str(match.rule_id)):
        return Category.GRAMMAR  # a word that exists, in the wrong place
    by_issue = _ISSUE_CATEGORIES.get(match.rule_issue_type)
    if by_issue is not None:
        return by_issue
    by_shelf = _CATEGORIES.get(match.category)
    if by_shelf is not None:
        return by_shelf
    return Category.SPELLING if match.rule_issue_type == "misspelling" else Category.OTHER


def _unavailable(error: Exception) -> StorydeskError:
    return StorydeskError(FailureCode.GRAMMAR_UNAVAILABLE, engine=_ENGINE, detail=str(error)[:300])

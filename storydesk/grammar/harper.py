"""Harper, a checker written in Rust that runs in this process: at once, offline, English only."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.polishing import Category, Finding
from storydesk.grammar.submission import Submission

_NAME = "harper"
_DIALECTS = {"en-US": "AMERICAN", "en-GB": "BRITISH", "en-CA": "CANADIAN", "en-AU": "AUSTRALIAN"}

_CATEGORIES = {
    "Spelling": Category.SPELLING,
    "Typo": Category.SPELLING,
    "Agreement": Category.GRAMMAR,
    "BoundaryError": Category.GRAMMAR,
    "Capitalization": Category.GRAMMAR,
    "Eggcorn": Category.GRAMMAR,
    "Grammar": Category.GRAMMAR,
    "Malapropism": Category.GRAMMAR,
    "Nonstandard": Category.GRAMMAR,
    "Usage": Category.GRAMMAR,
    "WordChoice": Category.GRAMMAR,
    "Formatting": Category.TYPOGRAPHY,
    "Punctuation": Category.PUNCTUATION,
    "Repetition": Category.REPETITION,
    "Enhancement": Category.STYLE,
    "Readability": Category.STYLE,
    "Redundancy": Category.STYLE,
    "Regionalism": Category.STYLE,
    "Style": Category.STYLE,
}
_RULE_CATEGORIES = {"AnA": Category.GRAMMAR}
_DICTIONARY = "SpellCheck"

# Rules that took good fiction for mistakes in our own sample stories or in the development half of our sentences:
# shown as a matter of style, so that a writer may look at them and nothing applies them unasked.
_DOUBTFUL_IN_FICTION = frozenset({
    "AWhile", "CompoundNouns", "DisjointPrefixes", "Everyone", "HopHope", "LetsConfusion", "MassNouns",
    "MissingPreposition", "MultipleSequentialPronouns", "OutOfTheWindow", "PossessiveYour",
    "QuantifierNumeralConflict", "QuiteQuiet", "SimplePastToPastParticiple", "SplitWords", "TheirToTheyre",
    "ThereIsAgreement", "Thereupon", "TheyToThem", "ToTwoToo",
})  # fmt: skip

# Rules that are about house style or other kinds of text: length, swearing, headings, how an ellipsis is typed
# (that follows the document), and one that takes surnames for nouns.
_OFF_IN_FICTION = ("AvoidCurses", "LongSentences", "OrthographicConsistency", "UseEllipsisCharacter", "UseTitleCase")

_GOOD_REPETITIONS = frozenset({"had had", "that that"})


class HarperChecker:
    """The Harper checker. Any thread; two at once wait for each other. Loads its dictionary at the first check."""

    def __init__(self) -> None:
        """Load nothing yet."""
        self._lock = threading.Lock()
        self._linter: Any = None
        self._language = ""

    @property
    def name(self) -> str:
        """``harper``."""
        return _NAME

    @property
    def notices(self) -> Sequence[Failure]:
        """Nothing to say: what is installed is what was expected."""
        return ()

    def list_languages(self) -> Sequence[str]:
        """Return the four kinds of English that it knows."""
        return tuple(_DIALECTS)

    def check(self, text: str, language: str = "en-US") -> Sequence[Finding]:
        """Return findings in order; raise StorydeskError(GRAMMAR_UNAVAILABLE, GRAMMAR_LANGUAGE)."""
        if language not in _DIALECTS:
            raise StorydeskError(
                FailureCode.GRAMMAR_LANGUAGE, engine="Harper", language=language, known=", ".join(_DIALECTS)
            )
        if not text.strip():
            return []
        submission = Submission(text)
        found = [
            finding
            for rule, lints in self._lint(submission.text, language).items()
            for lint in lints
            if (finding := self._finding(rule, lint, submission)) is not None
        ]
        return sorted(found, key=lambda finding: (finding.start, finding.end, finding.rule))

    def close(self) -> None:
        """Give the dictionary's memory back; the next check loads it again."""
        with self._lock:
            self._linter = None

    def _lint(self, text: str, language: str) -> dict[str, list[Any]]:
        """Return Harper's lints by rule."""
        with self._lock:
            try:
                import harper

                if self._linter is None or language != self._language:
                    self._linter = harper.Linter(harper.Dialect[_DIALECTS[language]])
                    self._language = language
                    self._linter.set_lint_config(dict.fromkeys(_OFF_IN_FICTION, False))
                lints: dict[str, list[Any]] = self._linter.organized_lints(text, language=harper.Language.PLAINTEXT)
            except ImportError as error:
                raise StorydeskError(FailureCode.GRAMMAR_UNAVAILABLE, engine="Harper", detail=str(error)) from error
            except BaseException as error:
                # A panic in Rust arrives as pyo3's PanicException, which is no Exception and has no importable name.
                if type(error).__name__ != "PanicException":
                    raise
                self._linter = None
                raise StorydeskError(FailureCode.GRAMMAR_UNAVAILABLE, engine="Harper", detail=str(error)) from error
        return lints

    def _finding(self, rule: str, lint: Any, submission: Submission) -> Finding | None:
        """Return the finding of one lint, or None where there is nothing to tell the writer."""
        span = submission.original_span(lint.span.start, lint.span.end)
        if span is None:
            return None
        passage = submission.original[slice(*span)]
        category = _category(rule, str(lint.lint_kind))
        if category is Category.REPETITION and passage.casefold() in _GOOD_REPETITIONS:
            return None
        if category is Category.GRAMMAR and not lint.suggestions:
            category = Category.STYLE  # it doubts a form and knows no better one
        suggestions = (_replacement(passage, suggestion) for suggestion in lint.suggestions)
        kept = tuple(dict.fromkeys(suggestion for suggestion in suggestions if suggestion != passage))
        return Finding(*span, category, rule, str(lint.message), kept, _NAME)


def _category(rule: str, kind: str) -> Category:
    if rule in _DOUBTFUL_IN_FICTION:
        return Category.STYLE
    if kind in ("Spelling", "Typo") and rule != _DICTIONARY:
        return Category.GRAMMAR  # words that exist, put together or apart
    return _RULE_CATEGORIES.get(rule) or _CATEGORIES.get(kind, Category.OTHER)


def _replacement(passage: str, suggestion: Any) -> str:
    """Return what the whole span becomes; Harper also knows removals and insertions behind it."""
    kind = suggestion.kind.name
    if kind == "REMOVE":
        return ""
    text = str(suggestion.replacement_text)
    return passage + text if kind == "INSERT_AFTER" else text

"""Grammar: both checkers as one, and the pass that mends what has one clear remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.polishing import Finding, apply_findings, merge_findings
from storydesk.services.ports import GrammarChecker

AUTO = "auto"
HARPER = "harper"
LANGUAGETOOL = "languagetool"
ENGINES = (AUTO, HARPER, LANGUAGETOOL)


@dataclass(frozen=True, slots=True)
class Check:
    """Findings in order, the checkers that took part, and why one that should have did not."""

    findings: tuple[Finding, ...]
    engines: tuple[str, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Polish:
    """A check, the text with every clear remedy applied, and which findings those were."""

    check: Check
    text: str
    applied: tuple[Finding, ...]


class PolishingService:
    """Checks texts. One thread; the window's has a thread of its own."""

    def __init__(
        self, factories: Mapping[str, Callable[[], GrammarChecker]], list_dictionary: Callable[[], Sequence[str]]
    ) -> None:
        """Take factories by name; a checker is started when it is first needed."""
        self._factories = dict(factories)
        self._checkers: dict[str, GrammarChecker] = {}
        self._list_dictionary = list_dictionary

    def check(self, text: str, engine: str = AUTO) -> Check:
        """Return the findings of one checker, or of both with LanguageTool's first where they overlap.

        With ``auto`` a LanguageTool that can't run leaves Harper alone and says why; a checker asked for by name
        that can't run raises.
        """
        if engine not in ENGINES:
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name="engine", value=engine, expected=", ".join(ENGINES))
        if not text.strip():
            return Check((), (), ())
        if engine != AUTO:
            return Check(self._run(engine, text), (engine,), ())
        quick = self._run(HARPER, text)
        try:
            deep = self._run(LANGUAGETOOL, text)
        except StorydeskError as error:
            return Check(quick, (HARPER,), (error.failure,))
        return Check(tuple(merge_findings(deep, quick)), (LANGUAGETOOL, HARPER), ())

    def polish(self, text: str, engine: str = AUTO) -> Polish:
        """Return the check and the text with every finding mended that has one clear remedy (see apply_findings)."""
        check = self.check(text, engine)
        mended, applied = apply_findings(text, check.findings)
        return Polish(check, mended, tuple(applied))

    def close(self) -> None:
        """End every checker that was started."""
        for checker in self._checkers.values():
            checker.close()
        self._checkers.clear()

    def _run(self, name: str, text: str) -> tuple[Finding, ...]:
        if name not in self._checkers:
            self._checkers[name] = self._factories[name]()
        checker = self._checkers[name]
        checker.set_dictionary(self._list_dictionary())
        return tuple(checker.check(text))

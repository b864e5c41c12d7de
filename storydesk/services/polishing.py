"""Grammar: both checkers as one, the model's opinion of what they propose, and the plan that mends a whole text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.polish_plan import PolishPlan, make_plan
from storydesk.domain.polishing import (
    Category,
    Finding,
    PolishSettings,
    agree_on_spelling,
    leave_alone,
    merge_findings,
)
from storydesk.domain.vocabulary import Vocabulary
from storydesk.services.paragraph_cache import ParagraphCache
from storydesk.services.ports import GrammarChecker, IsCancelled, Progress, SentenceRanker
from storydesk.services.ranking import Ranking, rank_findings

AUTO = "auto"
HARPER = "harper"
LANGUAGETOOL = "languagetool"
ENGINES = (AUTO, HARPER, LANGUAGETOOL)

AS_USUAL = PolishSettings()


@dataclass(frozen=True, slots=True)
class Check:
    """Findings in order, the checkers that took part, and why one that should have did not.

    ``model`` is the one that ranked the suggestions; empty where none had a say.
    """

    findings: tuple[Finding, ...]
    engines: tuple[str, ...]
    failures: tuple[Failure, ...]
    model: str = ""


@dataclass(frozen=True, slots=True)
class Polish:
    """A check and the plan of every clear remedy; ``text`` is with all of them, ``applied`` says which they are."""

    check: Check
    plan: PolishPlan

    @property
    def text(self) -> str:
        """The mended text."""
        return self.plan.result()

    @property
    def applied(self) -> tuple[Finding, ...]:
        """The findings that were mended."""
        return self.plan.accepted


class PolishingService:
    """Checks texts. One thread; the window's has a thread of its own, and its ranking another."""

    def __init__(
        self,
        factories: Mapping[str, Callable[[], GrammarChecker]],
        list_dictionary: Callable[[], Sequence[str]],
        ranker: SentenceRanker | None = None,
    ) -> None:
        """Take factories by name; a checker is started when it is first needed."""
        self._factories = dict(factories)
        self._checkers: dict[str, GrammarChecker] = {}
        self._list_dictionary = list_dictionary
        self._ranker = ranker
        self._cache = ParagraphCache()

    def check(
        self,
        text: str,
        engine: str | None = None,
        *,
        settings: PolishSettings = AS_USUAL,
        names: Iterable[str] = (),
        progress: Progress | None = None,
        is_cancelled: IsCancelled | None = None,
    ) -> Check:
        """Return the findings of one checker, or of both with LanguageTool's first where they overlap.

        ``engine`` goes before the settings' own. With ``auto`` a LanguageTool that can't run leaves Harper alone and
        says why; a checker asked for by name that can't run raises. ``names`` (of the title, of people and places)
        and the writer's dictionary are never flagged. Only paragraphs that aren't known from an earlier check are
        read. Raise StorydeskError(CANCELLED, GRAMMAR_...).
        """
        engine = engine or settings.engine
        if engine not in ENGINES:
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name="engine", value=engine, expected=", ".join(ENGINES))
        if not text.strip():
            return Check((), (), ())

        def read(name: str, told: Progress | None) -> tuple[Finding, ...]:
            return self._cache.check(
                self._checker(name), text, settings.language, progress=told, is_cancelled=is_cancelled
            )

        found: Sequence[Finding]
        engines: tuple[str, ...]
        failures: Sequence[Failure]
        if engine != AUTO:
            found, engines, failures = read(engine, progress), (engine,), self._checker(engine).notices
        else:
            found, engines, failures = self._check_with_both(read, text, settings.language, progress)
        kept = leave_alone(text, found, settings, self._vocabulary(settings, names))
        return Check(tuple(kept), engines, tuple(failures))

    def check_quickly(
        self, text: str, *, settings: PolishSettings = AS_USUAL, names: Iterable[str] = ()
    ) -> tuple[Finding, ...]:
        """Return what Harper finds, while the writer types, and what LanguageTool said about the same paragraphs.

        Harper reads only paragraphs that it doesn't know, LanguageTool none. Raise StorydeskError(GRAMMAR_...).
        """
        if settings.language in self._checker(HARPER).list_languages():
            quick = self._cache.check(self._checker(HARPER), text, settings.language)
        else:
            quick = ()
        deep, known = self._cache.recall(LANGUAGETOOL, text, settings.language)
        merged = merge_findings(*agree_on_spelling(deep, quick, known)) if quick else deep
        return tuple(leave_alone(text, merged, settings, self._vocabulary(settings, names)))

    def polish(
        self,
        text: str,
        engine: str | None = None,
        *,
        settings: PolishSettings = AS_USUAL,
        names: Iterable[str] = (),
        progress: Progress | None = None,
        is_cancelled: IsCancelled | None = None,
    ) -> Polish:
        """Return the check and the plan of every clear remedy; speech is left as it is unless the settings ask for it.

        Where the settings ask for it and there is a model, it puts the suggestions in order first; a model that
        can't be loaded costs the order only, and is told among the failures.
        """
        check = self.check(text, engine, settings=settings, names=names, progress=progress, is_cancelled=is_cancelled)
        if settings.rank and self._ranker is not None:
            check = self._rank(text, check, self._ranker, progress, is_cancelled)
        return Polish(check, make_plan(text, check.findings, dialogue=settings.mend_dialogue))

    def polish_addition(self, before: str, addition: str, *, settings: PolishSettings = AS_USUAL) -> str:
        """Return a text that goes on after ``before`` with every clear remedy, speech included; for a model's text.

        What stands before is read along, back to its paragraph's beginning, and never changed; the end, which may
        be in the middle of a word, stays too.
        """
        plan, context = self._plan_addition(before, addition, None, settings, (), tuple(Category))
        return plan.result()[context:]

    def find_slips(
        self,
        before: str,
        addition: str,
        engine: str | None = None,
        *,
        settings: PolishSettings = AS_USUAL,
        names: Iterable[str] = (),
        categories: Collection[Category] = tuple(Category),
    ) -> tuple[Finding, ...]:
        """Return what ``polish_addition`` would mend, in the addition's own code points; only these ``categories``."""
        plan, context = self._plan_addition(before, addition, engine, settings, names, categories)
        return tuple(
            replace(finding, start=finding.start - context, end=finding.end - context) for finding in plan.accepted
        )

    def _plan_addition(
        self,
        before: str,
        addition: str,
        engine: str | None,
        settings: PolishSettings,
        names: Iterable[str],
        categories: Collection[Category],
    ) -> tuple[PolishPlan, int]:
        """Return the plan for the paragraph so far with the addition, and where in it the addition begins."""
        begin = max(before.rfind("\n"), before.rfind("\r")) + 1
        context, whole = len(before) - begin, before[begin:] + addition
        last = len(whole.rstrip()) if whole.rstrip()[-1:] in ".!?…\"'”’" else whole.rfind(" ")
        check = self.check(whole, engine, settings=settings, names=names)
        inside = [
            finding
            for finding in check.findings
            if context <= finding.start and finding.end <= last and finding.category in categories
        ]
        return make_plan(whole, inside, dialogue=True), context

    def list_languages(self, engine: str = LANGUAGETOOL) -> Sequence[str]:
        """Return the languages that a checker has rules for; may start it. Raise StorydeskError(GRAMMAR_...)."""
        return self._checker(engine).list_languages()

    def close(self) -> None:
        """End every checker that was started; what is known about paragraphs stays known."""
        for checker in self._checkers.values():
            checker.close()
        self._checkers.clear()

    def _vocabulary(self, settings: PolishSettings, names: Iterable[str]) -> Vocabulary:
        return Vocabulary([*self._list_dictionary(), *names, *settings.words])

    def _check_with_both(
        self,
        read: Callable[[str, Progress | None], tuple[Finding, ...]],
        text: str,
        language: str,
        progress: Progress | None,
    ) -> tuple[Sequence[Finding], tuple[str, ...], Sequence[Failure]]:
        """Return merged findings; Harper, which knows English only, is passed over for other languages."""
        if language not in self._checker(HARPER).list_languages():
            return read(LANGUAGETOOL, progress), (LANGUAGETOOL,), self._checker(LANGUAGETOOL).notices
        quick = read(HARPER, None)
        try:
            deep = read(LANGUAGETOOL, progress)
        except StorydeskError as error:
            if error.failure.code == FailureCode.CANCELLED:
                raise
            return quick, (HARPER,), (error.failure,)
        return (
            merge_findings(*agree_on_spelling(deep, quick, [(0, len(text))])),
            (LANGUAGETOOL, HARPER),
            self._checker(LANGUAGETOOL).notices,
        )

    def _rank(
        self,
        text: str,
        check: Check,
        ranker: SentenceRanker,
        progress: Progress | None,
        is_cancelled: IsCancelled | None,
    ) -> Check:
        try:
            ranking: Ranking = rank_findings(text, check.findings, ranker, progress=progress, is_cancelled=is_cancelled)
        except StorydeskError as error:
            if error.failure.code == FailureCode.CANCELLED:
                raise
            return replace(check, failures=(*check.failures, error.failure))
        return replace(check, findings=ranking.findings, model=ranking.model)

    def _checker(self, name: str) -> GrammarChecker:
        if name not in self._checkers:
            self._checkers[name] = self._factories[name]()
        return self._checkers[name]

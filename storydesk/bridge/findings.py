"""The grammar findings of the open draft: they move with the text, and what the writer ignored stays away. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from storydesk.bridge.edit_log import EditLog
from storydesk.bridge.offsets import find_code_points
from storydesk.domain.polishing import Category, Finding, fingerprint, merge_findings


class _Followed:
    """Findings and what was edited since they were found; each gets its new place when somebody asks."""

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        self._findings = list(findings)
        self._log = EditLog()

    def __bool__(self) -> bool:
        return bool(self._findings)

    def follow(self, position: int, removed: int, added: int) -> None:
        if self._findings:
            self._log.note(position, removed, added)

    def read(self) -> list[Finding]:
        """Return the findings where they are now, without those that an edit touched."""
        if not self._log.is_untouched:
            self._findings = list(_move(self._findings, self._log))
            self._log = EditLog()
        return self._findings

    def remove(self, finding: Finding) -> None:
        findings = self.read()
        if finding in findings:
            findings.remove(finding)


class Findings:
    """Findings in UTF-16 units of the document, in order. GUI thread."""

    def __init__(self) -> None:
        """Begin with none."""
        self._quick = _Followed()
        self._deep = _Followed()
        # What the writer has just decided holds at once, though a check that began before may still report.
        self._ignored: dict[tuple[str, str], set[str]] = {}
        self._rules: set[str] = set()
        self._learnt: set[str] = set()
        self._shown = _Followed()

    @property
    def shown(self) -> Sequence[Finding]:
        """Both passes merged, without what was ignored."""
        return self._shown.read()

    def clear(self) -> None:
        """Forget everything, for another draft."""
        self._quick, self._deep, self._shown = _Followed(), _Followed(), _Followed()
        self._ignored.clear()
        self._rules.clear()
        self._learnt.clear()

    def set_quick(self, text: str, findings: Iterable[Finding]) -> None:
        """Take the quick pass over ``text``, which the document holds now."""
        self._quick = _Followed(findings)
        self._rebuild(text)

    def set_deep(self, text: str, findings: Iterable[Finding]) -> None:
        """Take the deep pass over ``text``."""
        self._deep = _Followed(findings)
        self._rebuild(text)

    def set_deep_late(self, old: str, text: str, findings: Iterable[Finding]) -> None:
        """Take the deep pass over a text that has changed meanwhile: what stands before and after the change holds."""
        first, second = (words.encode("utf-16-le", "surrogatepass") for words in (old, text))
        before = _count_same(first, second) // 2
        room = min(len(first), len(second)) // 2 - before
        after = min(_count_same(first[::-1], second[::-1]) // 2, room)
        removed, added = len(first) // 2 - before - after, len(second) // 2 - before - after
        self.set_deep(text, _shift(list(findings), before, removed, added))

    def shift(self, position: int, removed: int, added: int) -> bool:
        """Follow an edit; findings that it touches are dropped. Say whether there are any. Costs next to nothing."""
        for followed in (self._quick, self._deep, self._shown):
            followed.follow(position, removed, added)
        return bool(self._quick or self._deep or self._shown)

    def ignore(self, text: str, finding: Finding) -> str:
        """Drop a finding, in this sentence for good; return the fingerprint that it is known by."""
        key = (finding.rule, _words(text.encode("utf-16-le", "surrogatepass"), finding))
        mark = fingerprint(text, find_code_points(text, finding))
        self._ignored.setdefault(key, set()).add(mark)
        self.drop(finding)
        return mark

    def ignore_rule(self, rule: str) -> None:
        """Drop all findings of a rule, for good."""
        self._rules.add(rule)
        for finding in [finding for finding in self.shown if finding.rule == rule]:
            self.drop(finding)

    def learn(self, text: str, word: str) -> None:
        """Drop every misspelling that is this word, in whatever case, for good."""
        self._learnt.add(word.casefold())
        encoded = text.encode("utf-16-le", "surrogatepass")
        for finding in [finding for finding in self.shown if self._is_learnt(encoded, finding)]:
            self.drop(finding)

    def drop(self, finding: Finding) -> None:
        """Drop one finding."""
        for listed in (self._quick, self._deep, self._shown):
            listed.remove(finding)

    def find_at(self, position: int) -> Finding | None:
        """Return the finding that covers a place, or ends there."""
        for finding in self.shown:
            if finding.start <= position <= finding.end:
                return finding
            if finding.start > position:
                break
        return None

    def _rebuild(self, text: str) -> None:
        merged = merge_findings(self._deep.read(), self._quick.read())
        if self._ignored or self._rules or self._learnt:
            encoded = text.encode("utf-16-le", "surrogatepass")
            merged = [finding for finding in merged if not self._is_left_alone(text, encoded, finding)]
        self._shown = _Followed(merged)

    def _is_left_alone(self, text: str, encoded: bytes, finding: Finding) -> bool:
        if finding.rule in self._rules or self._is_learnt(encoded, finding):
            return True
        marks = self._ignored.get((finding.rule, _words(encoded, finding)))
        return marks is not None and fingerprint(text, find_code_points(text, finding)) in marks

    def _is_learnt(self, encoded: bytes, finding: Finding) -> bool:
        return finding.category is Category.SPELLING and _words(encoded, finding).casefold() in self._learnt


def _words(encoded: bytes, finding: Finding) -> str:
    return encoded[finding.start * 2 : finding.end * 2].decode("utf-16-le", "surrogatepass")


def _count_same(first: bytes, second: bytes) -> int:
    """Return how many bytes two texts have in common at their beginning."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[:middle] == second[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _move(findings: Sequence[Finding], log: EditLog) -> Iterator[Finding]:
    """Yield the findings that stand in one piece, where they are now."""
    for finding in findings:
        change = log.follow(finding.start, finding.end)
        if change is not None:
            yield _place(finding, change) if change else finding


def _place(finding: Finding, change: int) -> Finding:
    """Return a finding that has moved; several times as fast as ``replace``, and there may be thousands."""
    return Finding(
        finding.start + change,
        finding.end + change,
        finding.category,
        finding.rule,
        finding.message,
        finding.suggestions,
        finding.source,
        finding.doubtful,
    )


def _shift(findings: list[Finding], position: int, removed: int, added: int) -> list[Finding]:
    end, change = position + removed, added - removed
    moved: list[Finding] = []
    for finding in findings:
        if finding.end < position or (finding.end == position and not removed):
            moved.append(finding)
        elif finding.start >= end:
            moved.append(replace(finding, start=finding.start + change, end=finding.end + change))
    return moved

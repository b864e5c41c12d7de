"""A whole text's corrections as a diff by sentence, to be taken or left one by one, by kind or as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from storydesk.domain.polishing import Category, Finding, choose_clear
from storydesk.domain.sentences import find_quotations, is_inside, sentence_at, split_sentences


@dataclass(frozen=True, slots=True)
class Edit:
    """One correction: ``replacement`` for the span of the finding, in code points of the plan's text."""

    finding: Finding
    accepted: bool = True

    @property
    def replacement(self) -> str:
        """What the span becomes."""
        return self.finding.suggestions[0]


@dataclass(frozen=True, slots=True)
class Hunk:
    """One sentence (or several that a correction joins) and the edits in it, by their index in the plan."""

    start: int
    end: int
    edits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PolishPlan:
    """Edits of one text in order and apart from each other, grouped by sentence. Immutable."""

    text: str
    edits: tuple[Edit, ...]
    hunks: tuple[Hunk, ...]

    @property
    def categories(self) -> tuple[Category, ...]:
        """The kinds of corrections in the plan, in the order of their first place."""
        return tuple(dict.fromkeys(edit.finding.category for edit in self.edits))

    @property
    def accepted(self) -> tuple[Finding, ...]:
        """The findings whose corrections will go in."""
        return tuple(edit.finding for edit in self.edits if edit.accepted)

    def result(self) -> str:
        """Return the text with what is accepted."""
        return self._render(0, len(self.text), range(len(self.edits)))

    def before(self, hunk: Hunk) -> str:
        """Return a hunk's sentence as it stands."""
        return self.text[hunk.start : hunk.end]

    def after(self, hunk: Hunk, *, everything: bool = False) -> str:
        """Return a hunk's sentence with what is accepted, or with all that is proposed."""
        return self._render(hunk.start, hunk.end, hunk.edits, everything=everything)

    def choose(self, accepted: bool) -> PolishPlan:
        """Return the plan with everything accepted or rejected."""
        return self._choose(accepted, lambda _index, _edit: True)

    def choose_category(self, category: Category, accepted: bool) -> PolishPlan:
        """Return the plan with one kind of correction accepted or rejected."""
        return self._choose(accepted, lambda _index, edit: edit.finding.category is category)

    def choose_hunk(self, hunk: Hunk, accepted: bool) -> PolishPlan:
        """Return the plan with one sentence's corrections accepted or rejected."""
        return self._choose(accepted, lambda index, _edit: index in hunk.edits)

    def _choose(self, accepted: bool, concerns: Callable[[int, Edit], bool]) -> PolishPlan:
        edits = (
            replace(edit, accepted=accepted) if concerns(index, edit) else edit for index, edit in enumerate(self.edits)
        )
        return replace(self, edits=tuple(edits))

    def _render(self, start: int, end: int, edits: Iterable[int], *, everything: bool = False) -> str:
        pieces: list[str] = []
        position = start
        for index in edits:
            edit = self.edits[index]
            if edit.accepted or everything:
                pieces += [self.text[position : edit.finding.start], edit.replacement]
                position = edit.finding.end
        return "".join([*pieces, self.text[position:end]])


def make_plan(text: str, findings: Sequence[Finding], *, dialogue: bool = False) -> PolishPlan:
    """Return the plan of every clear remedy; nothing in quotation marks is touched unless ``dialogue`` asks for it."""
    chosen = choose_clear(text, findings)
    if not dialogue:
        speech = find_quotations(text)
        # A remedy at a mark's edge may belong to what is said: only what stays clear of speech is touched.
        chosen = [
            finding for finding in chosen if not is_inside(speech, finding.start, max(finding.end, finding.start + 1))
        ]
    sentences = split_sentences(text) if chosen else []
    hunks: list[Hunk] = []
    for index, finding in enumerate(chosen):
        first = sentence_at(sentences, finding.start)
        last = sentence_at(sentences, max(finding.end - 1, finding.start))
        start = min(sentences[first][0] if first >= 0 else finding.start, finding.start)
        end = max(sentences[last][1] if last >= 0 else finding.end, finding.end)
        if hunks and start < hunks[-1].end:
            hunks[-1] = Hunk(hunks[-1].start, max(end, hunks[-1].end), (*hunks[-1].edits, index))
        else:
            hunks.append(Hunk(start, end, (index,)))
    return PolishPlan(text, tuple(Edit(finding) for finding in chosen), tuple(hunks))

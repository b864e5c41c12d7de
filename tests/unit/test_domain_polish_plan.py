"""A plan changes what is accepted and nothing else, and leaves speech alone."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.polish_plan import make_plan
from storydesk.domain.polishing import Category, Finding

TEXT = "Teh door was open. “Teh sea,” she said. He seen teh boat."


def _finding(start: int, end: int, to: str, category: Category = Category.GRAMMAR) -> Finding:
    return Finding(start, end, category, "rule", "message", (to,), "harper")


def _slips() -> list[Finding]:
    places = [index for index in range(len(TEXT)) if TEXT[index : index + 3].lower() == "teh"]
    slips = [_finding(place, place + 3, "The" if TEXT[place] == "T" else "the", Category.SPELLING) for place in places]
    seen = TEXT.index("seen")
    return [*slips, _finding(seen, seen + 4, "saw")]


def test_sentences_are_hunks_and_speech_is_left_alone() -> None:
    plan = make_plan(TEXT, _slips())
    assert [(plan.before(hunk), plan.after(hunk)) for hunk in plan.hunks] == [
        ("Teh door was open.", "The door was open."),
        ("He seen teh boat.", "He saw the boat."),
    ]
    assert plan.result() == "The door was open. “Teh sea,” she said. He saw the boat."
    assert "“The sea,”" in make_plan(TEXT, _slips(), dialogue=True).result()


def test_a_category_a_sentence_or_everything_is_taken_or_left() -> None:
    plan = make_plan(TEXT, _slips())
    assert plan.choose(False).result() == TEXT
    assert plan.choose(False).choose(True).result() == plan.result()
    assert "He saw teh boat." in plan.choose_category(Category.SPELLING, accepted=False).result()
    left = plan.choose_hunk(plan.hunks[0], accepted=False)
    assert left.result() == "Teh door was open. “Teh sea,” she said. He saw the boat."
    assert left.after(left.hunks[0], everything=True) == "The door was open."


_TEXTS = st.text(alphabet="ab.!? \n\r“”\"'’😀e\u0301", max_size=80)


@given(_TEXTS, st.data())
def test_whatever_is_rejected_stays_as_it_was(text: str, data: st.DataObject) -> None:
    findings = []
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, len(text)))
        findings.append(_finding(start, data.draw(st.integers(start, len(text))), "X"))
    plan = make_plan(text, findings, dialogue=True)
    assert plan.choose(False).result() == text
    taken = plan.accepted
    assert all(one.end <= other.start for one, other in pairwise(taken))
    assert sum(len(hunk.edits) for hunk in plan.hunks) == len(plan.edits)
    assert all(one.end <= other.start for one, other in pairwise(plan.hunks))
    if not plan.hunks:
        assert plan.result() == text
        return
    rebuilt = "".join(
        piece
        for hunk, following in zip(plan.hunks, [*plan.hunks[1:], None], strict=True)
        for piece in (plan.after(hunk), text[hunk.end : following.start if following else len(text)])
    )
    assert plan.result() == text[: plan.hunks[0].start] + rebuilt

"""The score of a draft by a real engine: whole, in sections, and after an edit."""

from __future__ import annotations

import math

import pytest

import storydesk.bridge.draft_score as draft_score
from storydesk.bridge.draft_score import DraftScore, DraftScorer, split_sections
from storydesk.domain.failures import StorydeskError
from storydesk.domain.insight import rate_rank
from storydesk.domain.scoring import summarise
from storydesk.inference.engine import OnnxEngine, OnnxEngineLoader
from storydesk.services.scoring import ScoredText
from tests.fakes.tiny_style_model import make_tiny_style_model

STORY = "\n\n".join(
    f"Paragraph {number}: the bell rang {number} times, and “nobody” heard it — née.\nIt rang." for number in range(12)
)


class CountingScorer:
    """Scores with the engine and remembers what it was asked."""

    def __init__(self, engine: OnnxEngine) -> None:
        self.engine = engine
        self.asked: list[str] = []

    def score(self, text: str, prompt: str = "", *, is_cancelled: object = None) -> ScoredText:
        self.asked.append(text)
        return ScoredText(self.engine.score(text, prompt), "tiny")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> OnnxEngine:
    return OnnxEngineLoader().load(make_tiny_style_model(tmp_path_factory.mktemp("tiny")))


def _go_on() -> bool:
    return False


def test_the_lines_add_up_to_the_score_of_the_text(engine: OnnxEngine) -> None:
    score = DraftScorer(CountingScorer(engine)).score(STORY, "A bell.", "tiny", _go_on)
    whole = engine.score(STORY, "A bell.")
    assert score.perplexity == pytest.approx(whole.perplexity)
    assert score.nats_per_word == pytest.approx(whole.nats_per_word)
    lines = [line for line in score.lines if line is not None]
    assert len(lines) == STORY.count("\n") + 1
    assert sum(line.tokens for line in lines) == len(whole.tokens)
    assert math.isclose(sum(line.cost for line in lines), whole.nats, rel_tol=1e-6)
    paragraphs = summarise(whole, STORY).paragraphs
    told = [line for line in lines if line.tokens]
    assert [line.words for line in told] == [part.words for part in paragraphs]
    for line, part in zip(told, paragraphs, strict=True):
        assert line.cost == pytest.approx(part.nats, rel=1e-6)
    assert all(rate_rank(rank) >= 0 and rank >= 1 for line in told for rank in line.ranks)


def test_an_edit_reads_its_own_section_again_and_the_place_comes_first(
    engine: OnnxEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft_score, "WHOLE_CHARACTERS", 300)
    monkeypatch.setattr(draft_score, "SECTION_CHARACTERS", 300)
    monkeypatch.setattr(draft_score, "CONTEXT_CHARACTERS", 60)
    sections = [section for _, section in split_sections(STORY)]
    assert len(sections) > 3
    scorer = CountingScorer(engine)
    drafts = DraftScorer(scorer)
    grown: list[DraftScore] = []
    place = STORY.index("Paragraph 9")
    whole = drafts.score(STORY, "", "tiny", _go_on, place=place, on_grown=grown.append)
    assert "Paragraph 9" in scorer.asked[0]
    assert len(scorer.asked) == len(sections)
    assert [score.known < 1.0 for score in grown] == [True] * (len(sections) - 1)
    assert whole.known == 1.0
    lines = STORY.split("\n")
    first = next(number for number, line in enumerate(grown[0].lines) if line is not None)
    assert lines[first] in scorer.asked[0]
    scorer.asked.clear()
    edited = STORY.replace("Paragraph 1:", "Paragraph one:")
    after = drafts.score(edited, "", "tiny", _go_on)
    assert len(scorer.asked) <= 3  # its own, the one that it is context of, perhaps another end
    assert after.lines[-1] is whole.lines[-1]


def test_a_cancelled_score_goes_on_with_what_it_knows(engine: OnnxEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft_score, "WHOLE_CHARACTERS", 300)
    monkeypatch.setattr(draft_score, "SECTION_CHARACTERS", 300)
    scorer = CountingScorer(engine)
    drafts = DraftScorer(scorer)
    with pytest.raises(StorydeskError):
        drafts.score(STORY, "", "tiny", lambda: len(scorer.asked) == 2)
    drafts.score(STORY, "", "tiny", _go_on)
    assert len(scorer.asked) == len(list(split_sections(STORY)))


def test_a_small_edit_moves_few_ends_of_sections() -> None:
    text = "\n".join(f"Line {number} of a long draft with some words in it." for number in range(6000))
    before = {section for _, section in split_sections(text)}
    after = [section for _, section in split_sections("A new first line, and " + text)]
    assert sum(section not in before for section in after) <= 2


def test_the_tiny_engine_names_other_words(engine: OnnxEngine) -> None:
    scored = engine.score("The bell rang", "", alternatives=4)
    assert all(len(token.alternatives) == 4 for token in scored.tokens)

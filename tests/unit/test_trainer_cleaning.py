"""What is no prose leaves a story, what is prose stays, and the report says what was done."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storydesk.domain.feedback import FEWEST_PASSAGE_WORDS, FEWEST_STORY_WORDS, FeedbackOrigin, GoodExample
from storydesk.training.exchange import write_examples
from trainer.corpus import cleaning
from trainer.corpus.cleaning import clean_documents, cut_to_parts, detokenise
from trainer.corpus.document import CleaningReport, Document
from trainer.corpus.readers import read_file
from trainer.text.mending import repair_encoding, strip_markup
from trainer.text.ngrams import count_words
from trainer.text.normaliser import ASCII, normalise

BODY = "The bell rang twice before the fog came in, and Mara put down her cup to listen for the boat. "


def clean(story: str, prompt: str = "A bell") -> tuple[str, str, CleaningReport]:
    """Return the story and prompt that are left of one document, with the report."""
    report = CleaningReport()
    documents = clean_documents([Document(story=story, prompt=prompt)], ASCII, report)
    return (documents[0].story, documents[0].prompt, report) if documents else ("", "", report)


@pytest.mark.parametrize(
    ("reason", "addition", "left"),
    [
        ("line_marks", "One . <newline><newline> Two .", "One .\n\nTwo ."),
        ("markup", "<p class='x'>Tom &amp; I</p>", "Tom & I"),
        ("markup", "a *very* long __way__ to [town](http://example.org/a_(b))", "a very long way to town"),
        ("markup", "the end<|endoftext|> of it", "the end of it"),
        ("encoding", "she didnâ€™t, the cafÃ© was shut", "she didn't, the café was shut"),
        ("unprintable", "a \x07bell \ue000rang", "a bell rang"),
        ("typography", "“No” — she said…", '"No" -- she said...'),
    ],
)
def test_each_kind_of_dirt_goes_and_is_counted(reason: str, addition: str, left: str) -> None:
    story, _, report = clean(BODY + addition)
    assert story == (BODY + left)
    assert report.changed[reason] == 1
    assert report.examples[reason]


def test_tags_of_writing_prompts_leave_the_prompt() -> None:
    _, prompt, report = clean(BODY * 2, prompt="[ WP ] You wake   up in a lighthouse .")
    assert prompt == "You wake up in a lighthouse ."
    assert report.changed["tags"] == 1


def test_remarks_of_authors_and_moderators_go() -> None:
    story, _, report = clean(f"{BODY}\n\nEDIT: Thanks for the gold!\n\nShe editED: the letter twice and went home.")
    assert "gold" not in story
    assert "the letter twice" in story
    assert report.changed["remarks"] == 1
    removed = clean("[deleted]")[2]
    assert removed.dropped["removed_by_author"] == 1


def test_clean_prose_is_left_as_it_is() -> None:
    prose = BODY * 3 + "She said, \"It's 5 < 6 -- isn't it?\" and_so on; he wrote E = m * c * c on the wall..."
    story, _, report = clean(prose)
    assert story == prose
    assert not report.changed
    assert not report.dropped


def test_copies_and_scraps_are_dropped_with_an_example() -> None:
    report = CleaningReport()
    stories = [BODY * 3, BODY.upper() * 3, "Too short.", "", "   "]
    documents = clean_documents([Document(story=story) for story in stories], ASCII, report)
    assert len(documents) == 1
    assert report.dropped == {"duplicate": 1, "too_short": 1, "empty": 2}
    assert report.examples["too_short"] == "Too short."


def test_tokenised_text_is_printed_again() -> None:
    tokenised = "`` I do n't know , '' she said . He 's gone , is n't he ? \" Yes , \" I said ."
    assert detokenise(tokenised) == '"I don\'t know," she said. He\'s gone, isn\'t he? "Yes," I said.'


def test_a_long_story_is_cut_at_paragraphs_and_nothing_is_lost() -> None:
    paragraphs = [f"{number} {BODY * 5}".strip() for number in range(60)]
    document = Document(story="\n\n".join(paragraphs), prompt="A bell")
    parts = list(cut_to_parts(document, 1000))
    assert len(parts) > 5
    assert all(count_words(part.story) <= 1000 for part in parts)
    assert "\n\n".join(part.story for part in parts) == document.story
    assert len({part.whole for part in parts}) == 1


def test_a_story_of_one_endless_line_is_cut_too() -> None:
    parts = list(cut_to_parts(Document(story="word " * 5000), 1000))
    assert len(parts) >= 5
    assert sum(count_words(part.story) for part in parts) == 5000


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=60))
def test_cleaning_any_text_gives_the_models_form(story: str, prompt: str) -> None:
    cleaned, head, _ = clean(BODY + story, prompt)
    assert normalise(cleaned, ASCII).text.strip() == cleaned
    assert "\n" not in head
    assert "\ufffd" not in cleaned


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_text_that_was_read_wrongly_comes_back(text: str) -> None:
    assert repair_encoding(text.replace("\ufffd", "")) is not None
    if text.isascii():
        assert repair_encoding(text) == text


def test_markup_that_is_none_stays() -> None:
    for text in ("a < b and c > d", "5 * 3 * 2", "snake_case_name", "I <3 you", "he said [sic] it", "# 5"):
        assert strip_markup(text).strip() in (text, text.removeprefix("# "))


def test_a_passage_keeps_the_place_where_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "liked.jsonl"
    good = [
        GoodExample(
            "a", "g", "A bell", "The “fog” came\n\n", "  *Mara* heard the bell again.", FeedbackOrigin.EDIT, 1.0, 1.0
        ),
        GoodExample("b", "g", "", "It was late", " and the sea had gone away.", FeedbackOrigin.SUGGESTION, 1.0, 1.0),
        GoodExample("c", "g", "A boat", "", "The boat " + "went on " * 20, FeedbackOrigin.RATING, 1.0, 1.0),
        GoodExample("d", "g", "A boat", "", "The boat was too short.", FeedbackOrigin.RATING, 1.0, 1.0),
    ]
    write_examples(good, path)
    report = CleaningReport()
    read = clean_documents(read_file(path), ASCII, report)
    assert [each.before for each in read] == ['The "fog" came\n\n', "It was late", None]
    assert read[0].story.strip() == "Mara heard the bell again."
    assert (read[1].before or "") + read[1].story == "It was late and the sea had gone away."
    assert report.dropped["too_short"] == 1
    assert [each.is_long_enough for each in good] == [True, True, True, False]


def test_parts_of_a_long_passage_go_on_from_one_another() -> None:
    story = "\n\n".join(f"Paragraph {number} " + "word " * 40 for number in range(5))
    parts = list(cut_to_parts(Document(story, before="Before. "), 100))
    assert len(parts) > 1
    assert parts[0].before == "Before. "
    assert "Paragraph 0" in (parts[1].before or "")


def test_what_is_too_short_is_so_for_app_and_trainer() -> None:
    assert (FEWEST_STORY_WORDS, FEWEST_PASSAGE_WORDS) == (cleaning.FEWEST_WORDS, cleaning.FEWEST_PASSAGE_WORDS)

"""Search over all drafts: where the words stand, whatever is asked, and also while the index is behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.library import Passage, SearchResult
from storydesk.domain.outline import KeptPart, PartDetails, PartKind, Status, StoryDetails
from storydesk.services.outline import OutlineService, move_story
from storydesk.storage.folding import fold
from storydesk.storage.library import SqliteLibrary
from storydesk.storage.outline import SqliteOutline
from storydesk.storage.search import MOST_PASSAGES, SqliteSearch

TEXT = """# One

The lamp was out; Mara waited on the Straße by the café for a very long time, and nobody came.

# Two

A lamp again, and a second lamp."""


@pytest.fixture
def library(tmp_path: Path) -> SqliteLibrary:
    return SqliteLibrary(tmp_path / "library.sqlite3")


def passages(result: SearchResult) -> list[Passage]:
    return [passage for story in result.stories for passage in story.passages]


def marked(passage: Passage) -> list[str]:
    return [passage.preview[start:end] for start, end in passage.marks]


def test_a_passage_says_where_it_stands_and_marks_the_words(library: SqliteLibrary) -> None:
    story = library.add_story("The Salt Road", text=TEXT)
    result = SqliteSearch(library).search("LAMP")
    assert [found.story.id for found in result.stories] == [story.id]
    first, second = passages(result)
    assert (first.chapter, second.chapter) == ("One", "Two")
    assert TEXT[first.start : first.end] == "lamp"
    assert marked(first) == ["lamp"]
    assert marked(second) == ["lamp", "lamp"]
    assert first.preview.endswith(" …")
    assert "\n" not in first.preview
    library.close()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("strasse", "Straße"),
        ("STRAß", "Straß"),
        ("cafe", "café"),
        ("wait", "wait"),
        ('"mara waited on"', "Mara waited on"),
        ("“the lamp was”", "The lamp was"),
        ("wait mara", "Mara"),
    ],
)
def test_words_are_found_without_case_and_accents_and_phrases_as_they_stand(
    library: SqliteLibrary, query: str, found: str
) -> None:
    library.add_story("The Salt Road", text=TEXT)
    [passage] = passages(SqliteSearch(library).search(query))
    assert marked(passage)[0] == found
    assert TEXT[passage.start : passage.end] == found
    library.close()


@pytest.mark.parametrize("query", ["", "   ", '"waited mara"', "xylophone", "amp", '"', "lamp xylophone"])
def test_what_is_not_there_is_not_found(library: SqliteLibrary, query: str) -> None:
    library.add_story("The Salt Road", text=TEXT)
    assert not passages(SqliteSearch(library).search(query))
    library.close()


def test_every_draft_is_searched_and_the_same_passage_shown_once(library: SqliteLibrary) -> None:
    story = library.add_story("One", text="An otter swam.\n\nA heron stood.")
    library.add_draft(story.id, "2", "An otter swam.\n\nNothing else.")
    trashed = library.add_story("Two", text="A heron in the trash.")
    library.trash_story(trashed.id)
    library.add_story("A heron in the title")
    search = SqliteSearch(library)
    assert [(passage.draft, passage.preview) for passage in passages(search.search("otter"))] == [
        ("2", "An otter swam.")
    ]
    found = search.search("heron")
    assert [(item.story.title, len(item.passages)) for item in found.stories] == [
        ("A heron in the title", 0),
        ("One", 1),
        ("Two", 1),
    ]
    assert found.stories[-1].story.in_trash
    library.close()


def test_lines_that_hold_more_of_the_words_come_first_and_are_not_too_many(library: SqliteLibrary) -> None:
    lines = [f"A bell number {number}." for number in range(20)] + ["A bell and a drum."]
    library.add_story("Noise", text="\n".join(lines))
    [found] = SqliteSearch(library).search("drum bell").stories
    assert found.passages[0].preview == "A bell and a drum."
    assert (len(found.passages), found.more) == (MOST_PASSAGES, 21 - MOST_PASSAGES)
    library.close()


def test_what_was_just_saved_is_found_also_where_nothing_may_be_indexed(library: SqliteLibrary) -> None:
    story = library.add_story("One", text="An otter.")
    search = SqliteSearch(library)
    assert passages(search.search("otter"))
    library.save_draft(library.list_drafts(story.id)[0].id, "A heron.")
    second = SqliteLibrary(library.path)
    assert second.read_only
    assert not passages(SqliteSearch(second).search("otter"))
    assert passages(SqliteSearch(second).search("heron"))
    second.close()
    assert not passages(search.search("otter"))
    library.close()


def test_a_search_can_be_broken_off(library: SqliteLibrary) -> None:
    library.add_story("One", text="An otter.")
    with pytest.raises(StorydeskError) as caught:
        SqliteSearch(library).search("otter", lambda: True)
    assert caught.value.failure.code == FailureCode.CANCELLED
    library.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80), query=st.text(max_size=30))
def test_any_query_is_answered_and_what_is_marked_is_in_the_text(tmp_path: Path, text: str, query: str) -> None:
    library = SqliteLibrary(tmp_path / "any.sqlite3")
    for story in library.list_stories():
        library.trash_story(story.id)
        library.delete_story(story.id)
    story = library.add_story("", text=text)
    kept = library.list_drafts(story.id)[0].text
    for asked in (query, text):
        for passage in passages(SqliteSearch(library).search(asked)):
            assert kept[passage.start : passage.end]
            for start, end in passage.marks:
                assert 0 <= start < end <= len(passage.preview)
            assert passage.preview.strip("… ").replace("\t", " ") in kept.replace("\t", " ")
    for word in kept.split():
        if word.isalpha() and fold(word) and '"' not in word:
            assert SqliteSearch(library).search(word).stories, word
    library.close()


# Details, order, parts


def test_details_of_stories_are_kept_and_words_counted_for_targets(library: SqliteLibrary) -> None:
    first, second = library.add_story("One", text="Three words here."), library.add_story("Two", text="More words.")
    service = OutlineService(SqliteOutline(library))
    service.change_details(first.id, StoryDetails(Status.DRAFT, 300, (" #sea ", "Sea", "", "rain, "), "Soon."))
    details = service.read_details()
    assert details[first.id] == StoryDetails(Status.DRAFT, 300, ("rain", "sea"), "Soon.", 3)
    assert details[second.id] == StoryDetails()
    library.save_draft(library.list_drafts(first.id)[0].id, "Now there are five words.")
    assert service.read_details()[first.id].words == 5
    with pytest.raises(StorydeskError):
        service.change_details(99, StoryDetails())
    library.close()


def test_stories_stand_as_they_were_placed_and_new_ones_above_them(library: SqliteLibrary) -> None:
    ids = [library.add_story(name).id for name in ("a", "b", "c")]
    service = OutlineService(SqliteOutline(library))
    order = [story.id for story in library.list_stories()]
    service.place_stories(move_story(order, ids[0], order[0]))
    assert [story.title for story in library.list_stories()] == ["a", "c", "b"]
    library.save_draft(library.list_drafts(ids[1])[0].id, "changed")
    assert [story.title for story in library.list_stories()] == ["a", "c", "b"]
    library.add_story("new")
    assert [story.title for story in library.list_stories()] == ["new", "a", "c", "b"]
    assert move_story([1, 2, 3], 1, 0) == [2, 3, 1]
    library.close()


def test_parts_are_kept_with_those_that_wait(library: SqliteLibrary) -> None:
    story = library.add_story("One")
    outline = SqliteOutline(library)
    parts = [
        KeptPart("Rain", PartKind.CHAPTER),
        KeptPart("Mara waited", PartKind.SCENE, PartDetails(Status.FINISHED, 400, "Shorter.")),
        KeptPart("Gone", PartKind.CHAPTER, PartDetails(target=5), present=False),
    ]
    outline.write_parts(story.id, parts)
    outline.write_parts(story.id, parts)
    assert list(outline.read_parts(story.id)) == parts
    assert list(outline.read_parts(99)) == []
    with pytest.raises(StorydeskError):
        outline.write_parts(99, parts)
    library.close()

"""Search over all drafts with the places where the words stand, on a connection of its own: nobody waits for it."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storydesk.domain.characters import mend_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.library import FoundStory, Passage, SearchResult
from storydesk.domain.manuscript import Story
from storydesk.domain.outline import find_chapter
from storydesk.services.ports import IsCancelled
from storydesk.storage.backups import make_address
from storydesk.storage.folding import FoldedText, fold
from storydesk.storage.library import SqliteLibrary, explain_sqlite, make_story
from storydesk.storage.word_index import find_stories, refresh_draft

MOST_STORIES = 60
MOST_PASSAGES = 5
LONGEST_QUERY = 400
_MOST_MATCHES = 2000
_BEFORE, _AFTER = 24, 60
_QUOTED = re.compile(r'["“”„«»]([^"“”„«»]*)["“”„«»]')
_WORDS = re.compile(r"\w+")


class SqliteSearch:
    """Implements SearchStore. Any one thread."""

    def __init__(self, library: SqliteLibrary) -> None:
        """Search this library; what was saved since the last search is indexed on the way, draft by draft."""
        self._library = library

    def search(self, words: str, is_cancelled: IsCancelled | None = None) -> SearchResult:
        """Return where stories hold all the words, each at the start of a word; what stands in quotes, as it stands.

        Any query will do; an empty one finds nothing. Raises StorydeskError(CANCELLED).
        """
        query = mend_text(words).strip()[:LONGEST_QUERY]
        terms = _read_terms(query)
        if not terms:
            return SearchResult(words)
        look = is_cancelled or (lambda: False)
        self._refresh(look)
        with explain_sqlite(self._library.path), self._connect() as connection:
            connection.execute("BEGIN")
            found = self._find(connection, _QUOTED.sub(r" \1 ", query))
            rows = connection.execute(
                "SELECT id, title, prompt, created, changed, in_trash FROM stories "
                "ORDER BY in_trash, position, changed DESC, id DESC"
            ).fetchall()
            stories = [make_story(row) for row in rows if row[0] in found]
            shown = [_show(connection, story, terms, look) for story in stories[:MOST_STORIES]]
        return SearchResult(words, tuple(story for story in shown if story is not None))

    def _refresh(self, look: IsCancelled) -> None:
        """Index what was saved; each draft is a transaction of its own, so that a save never waits long."""
        if self._library.read_only or not self._library.has_index:
            return
        with contextlib.suppress(StorydeskError):  # a search that can't index reads the texts instead
            while not look():
                with self._library.writing() as connection:
                    if not refresh_draft(connection):
                        return

    def _find(self, connection: sqlite3.Connection, query: str) -> set[int]:
        if self._library.has_index:
            with contextlib.suppress(sqlite3.DatabaseError):
                return find_stories(connection, query, use_index=True)
        return find_stories(connection, query, use_index=False)

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(make_address(self._library.path), uri=True, isolation_level=None, timeout=5)
        try:
            yield connection
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class _Match:
    start: int
    end: int
    term: int


def _read_terms(query: str) -> list[re.Pattern[str]]:
    """Return a pattern for each word, quoted phrase or sign of a query, for folded text."""
    phrases = [_WORDS.findall(fold(phrase)) for phrase in _QUOTED.findall(query)]
    terms = [r"(?<!\w)" + r"\W+".join(map(re.escape, phrase)) for phrase in phrases if phrase]
    for part in _QUOTED.sub(" ", query).split():
        words = _WORDS.findall(fold(part))
        terms += [r"(?<!\w)" + re.escape(word) for word in words] or [re.escape(fold(part) or part)]
    return [re.compile(term) for term in dict.fromkeys(terms)]


def _show(
    connection: sqlite3.Connection, story: Story, terms: Sequence[re.Pattern[str]], look: IsCancelled
) -> FoundStory | None:
    """Return a story with its passages, None where a phrase of the query is nowhere in it."""
    card = fold(f"{story.title}\n{story.prompt}")
    held = {number for number, term in enumerate(terms) if term.search(card)}
    passages: list[Passage] = []
    seen: set[tuple[str, int]] = set()
    more = 0
    rows = connection.execute("SELECT id, name, text FROM drafts WHERE story_id = ? ORDER BY id DESC", (story.id,))
    for draft_id, name, text in rows:
        if look():
            raise StorydeskError(FailureCode.CANCELLED)
        matches = _find_matches(text, terms)
        held |= {match.term for match in matches}
        for line in _choose_lines(text, matches):
            passage = _make_passage(text, draft_id, name, line)
            known = (passage.preview, passage.marks[0][0])
            if known in seen:
                continue  # an older draft that says the same
            seen.add(known)
            if len(passages) < MOST_PASSAGES:
                passages.append(passage)
            else:
                more += 1
    return FoundStory(story, tuple(passages), more) if len(held) == len(terms) else None


def _find_matches(text: str, terms: Sequence[re.Pattern[str]]) -> list[_Match]:
    folded = FoldedText(text)
    matches: list[_Match] = []
    for number, term in enumerate(terms):
        for count, match in enumerate(term.finditer(folded.text)):
            if count >= _MOST_MATCHES:
                break
            start, end = folded.place(match.start()), folded.place(match.end(), end=True)
            if end > start:
                matches.append(_Match(start, end, number))
    return sorted(matches, key=lambda match: (match.start, match.end))


def _choose_lines(text: str, matches: Sequence[_Match]) -> list[list[_Match]]:
    """Return the matches line by line, those lines first that hold the most of the words."""
    lines: dict[int, list[_Match]] = {}
    edge, key = -1, 0
    for match in matches:
        if match.start > edge:
            key = text.rfind("\n", 0, match.start) + 1
            edge = text.find("\n", match.start)
            edge = len(text) if edge < 0 else edge
        lines.setdefault(key, []).append(match)
    ranked = sorted(lines, key=lambda start: (-len({match.term for match in lines[start]}), start))
    return [lines[start] for start in ranked]


def _make_passage(text: str, draft_id: int, name: str, matches: Sequence[_Match]) -> Passage:
    first = matches[0]
    low = text.rfind("\n", 0, first.start) + 1
    high = text.find("\n", first.start)
    high = len(text) if high < 0 else high
    start, end = max(low, first.start - _BEFORE), min(high, max(first.start + _AFTER, first.end))
    if start > low:
        space = text.find(" ", start, first.start)
        start = space + 1 if space >= 0 else start
    if end < high:
        space = text.rfind(" ", first.end, end)
        end = space if space >= 0 else end
    before, after = "… " if start > low else "", " …" if end < high else ""
    shift = len(before) - start
    marks = tuple((match.start + shift, min(match.end, end) + shift) for match in matches if match.start < end)
    preview = before + text[start:end].replace("\t", " ") + after
    return Passage(draft_id, name, first.start, first.end, preview, marks, find_chapter(text, first.start))

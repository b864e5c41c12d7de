"""What stands on a manuscript's first page and in its running heads, the same in every format."""

from __future__ import annotations

from storydesk.domain.book import Book, round_words

THE_END = "END"
SCENE_MARK = "#"


def say_words(book: Book) -> str:
    """Return the word count as editors want it."""
    return f"About {round_words(book.words):,} words"


def list_contact(book: Book) -> list[str]:
    """Return the lines of the contact block, the legal name first."""
    return [line for line in (book.author.name or book.author.pen_name, *book.author.contact) if line]


def make_running_head(book: Book) -> str:
    """Return what stands before the page's number: surname and keyword, each with a stroke behind it."""
    return "".join(f"{piece} / " for piece in (book.author.surname, book.keyword) if piece)


def is_short(book: Book) -> bool:
    """Return whether the text begins on the first page, as a story's does and a book's of several parts does not."""
    return len(book.parts) == 1 and not book.parts[0].title

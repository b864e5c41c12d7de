"""``storydesk write --prompts`` and ``--lorebook`` over a desk of fakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storydesk.cli.program import run_command
from tests.fakes.services import make_world

RESOURCES = Path(__file__).resolve().parents[2] / "resources"


def test_every_prompt_of_a_file_becomes_a_whole_story(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = make_world(tmp_path / "home")
    prompts, book = tmp_path / "prompts.txt", tmp_path / "book.json"
    prompts.write_text("[ WP ] A bell rings .\nA door opens.\n", encoding="utf-8")
    book.write_text(json.dumps({"entries": {"0": {"key": ["bell"], "content": "It is cracked."}}}), encoding="utf-8")
    arguments = ("write", "--prompts", str(prompts), "--words", "40", "--seed", "5", "--lorebook", str(book))
    assert run_command((*arguments, "--json"), lambda _notice: world.desk, RESOURCES) == 0
    stories = json.loads(capsys.readouterr().out)["stories"]
    assert [(story["prompt"], story["seed"]) for story in stories] == [("A bell rings.", 5), ("A door opens.", 6)]
    assert stories[0]["text"].endswith("rang.")
    assert [story["ending"] for story in stories] == ["likely", "cut"]
    assert all(story["perplexity"] > 1 and story["words"] > 0 for story in stories)
    contexts = [request.context for request in world.loader.engines[0].requests]
    assert contexts[0].startswith("It is cracked.\n\nPrompt: A bell rings.")
    assert run_command(arguments, lambda _notice: world.desk, RESOURCES) == 0
    shown = capsys.readouterr()
    assert "## Story 2 of 2: A door opens." in shown.out
    assert "an end likeliest" in shown.err
    assert "no end in sight" in shown.err


def test_a_lorebook_goes_with_a_single_story(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = make_world(tmp_path / "home")
    book = tmp_path / "book.lorebook"
    entry = {"displayName": "Bell", "text": "It is cracked.", "keys": ["bell"], "enabled": True}
    book.write_text(json.dumps({"lorebookVersion": 5, "entries": [entry]}), encoding="utf-8")
    arguments = ("write", "--prompt", "A bell", "--memory", "An island.", "--words", "3", "--lorebook", str(book))
    assert run_command(arguments, lambda _notice: world.desk, RESOURCES) == 0
    assert world.loader.engines[0].requests[0].context.startswith("An island.\n\nIt is cracked.\n\nPrompt: A bell")
    assert run_command((*arguments, "--prompts", str(book)), lambda _notice: world.desk, RESOURCES) == 2
    capsys.readouterr()

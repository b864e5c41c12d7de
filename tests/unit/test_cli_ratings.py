"""``storydesk ratings``: from stories in files to a summary, with a friend in between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from storydesk.__main__ import main
from storydesk.bootstrap import build_desk
from storydesk.domain.judging import Side


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STORYDESK_HOME", str(tmp_path / "home"))
    for model in ("salt", "amber"):
        stories = [
            {"prompt": f"Prompt {n}", "text": f"The story number {n}, {len(model)}.", "model": model} for n in range(12)
        ]
        (tmp_path / f"{model}.json").write_text(json.dumps({"stories": stories}), encoding="utf-8")
    return tmp_path


def run(*words: str | Path) -> int:
    try:
        return main([str(word) for word in words])
    except SystemExit as ended:
        return int(ended.code or 0)


def ask(capsys: pytest.CaptureFixture[str], *words: str | Path) -> dict[str, Any]:
    capsys.readouterr()
    assert run("ratings", *words, "--json") == 0
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    return record


def rate_everything(home: Path) -> None:
    """Rate what is open: salt's stories, which are the shorter ones here, get more points and every choice."""
    desk = build_desk(home)
    rater = desk.judging.add_rater("Ada")
    for card in desk.judging.list_sheets():
        for item in desk.judging.sit_down(card.sheet.id, rater.id).items:
            if item.is_pair:
                side = Side.LEFT if item.texts[0].endswith("4.") else Side.RIGHT
                desk.judging.choose(card.sheet.id, rater.id, item.item_id, side)
            else:
                points = 4 + item.item_id % 2 if item.texts[0].endswith("4.") else 1 + item.item_id % 3
                for criterion in card.sheet.criteria:
                    desk.judging.rate(card.sheet.id, rater.id, item.item_id, criterion, points)
    desk.close()


def test_from_stories_to_a_summary(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = (folder / "salt.json", folder / "amber.json")
    made = ask(capsys, "new", "First look", *files, "--short")["sheet"]
    assert (made["items"], made["criteria"][-1], len(made["criteria"])) == (24, "overall", 5)
    assert ask(capsys, "new", "Which one", *files, "--pairs", "--most", "10")["sheet"]["items"] == 10
    rate_everything(folder / "home")
    listed = {sheet["name"]: sheet["raters"] for sheet in ask(capsys, "list")["sheets"]}
    assert listed == {"Which one": {"Ada": 10}, "First look": {"Ada": 24}}
    blind = ask(capsys, "summary")
    assert blind["blind"]
    assert {each["name"] for each in blind["contenders"]} == {"A", "B"}
    shown = ask(capsys, "summary", "--reveal")
    assert [(duel["first"], duel["verdict"]) for duel in shown["duels"]] == [("amber", "second")]
    assert len(shown["differences"]) == 5
    difference = next(each for each in shown["differences"] if each["criterion"] == "overall")
    assert (difference["verdict"], difference["points"]["count"]) == ("second", 12)
    assert run("ratings", "summary") == 0
    words = capsys.readouterr().out
    assert "salt is better" in words
    assert "nothing was judged by two raters yet" in words


def test_a_friend_rates_in_a_library_of_their_own(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(capsys, "new", "First look", folder / "salt.json", folder / "amber.json", "--short")
    sheet = folder / "sheet.json"
    assert run("ratings", "export", "first look", "--out", sheet) == 0
    assert "salt" not in sheet.read_text(encoding="utf-8")
    assert run("ratings", "export", "first look", "--out", sheet) == 1
    assert "was left as it is" in capsys.readouterr().err
    monkeypatch.setenv("STORYDESK_HOME", str(folder / "friend"))
    assert ask(capsys, "import", sheet)["imported"][0]["new"] == 24
    rate_everything(folder / "friend")
    assert run("ratings", "export", "1", "--out", folder / "back.json", "--rater", "nobody") == 2
    assert "one of: Ada" in capsys.readouterr().err
    assert run("ratings", "export", "1", "--out", folder / "back.json", "--rater", "ada") == 0
    monkeypatch.setenv("STORYDESK_HOME", str(folder / "home"))
    [taken] = ask(capsys, "import", folder / "back.json")["imported"]
    assert (taken["rater"], taken["new"]) == ("Ada", 24 * 5)
    assert ask(capsys, "summary", "First look")["ratings"] == 24 * 5


def test_feedback_is_counted_and_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("ratings") == 0
    assert "no rating sheet yet" in capsys.readouterr().out
    assert run("ratings", "summary") == 1
    ask(capsys, "new", "Which one", folder / "salt.json", folder / "amber.json", "--pairs")
    rate_everything(folder / "home")
    path = folder / "feedback.jsonl"
    counts = ask(capsys, "feedback", "--out", path)
    assert counts["pairs"] + counts["heldout_pairs"] == 12
    assert counts["heldout_pairs"] > 0
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(records) == 12
    assert all(record["chosen"].endswith("4.") for record in records)
    assert sum(record["held_out"] for record in records) == counts["heldout_pairs"]


def test_a_foreign_file_is_refused_in_a_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("ratings", "import", folder / "salt.json") == 1
    assert "holds no rating sheet and no ratings" in capsys.readouterr().err

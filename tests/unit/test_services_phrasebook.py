"""Every code a user can meet has a sentence and a remedy in plain words."""

from __future__ import annotations

import inspect
import re
from enum import StrEnum
from pathlib import Path

import pytest

from storydesk.domain.failures import Failure, FailureCode
from storydesk.services.phrasebook import Phrasebook, list_parameters
from trainer.protocol.failures import TrainerFailure

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "resources" / "i18n" / "en.toml"
JARGON = re.compile(r"\b(OOM|GGUF|checkpoint\w*|epoch\w*|traceback|exception|stderr|errno|null)\b", re.IGNORECASE)


def _listed_parameters(codes: type[StrEnum]) -> dict[str, frozenset[str]]:
    """Return each code's parameters as the comment behind it lists them."""
    source = inspect.getsource(codes)
    rows = re.findall(r'^\s+[A-Z_]+ = "(\w+)"[^\S\n]*(?:#[^\S\n]*(.*))?$', source, re.MULTILINE)
    return {code: frozenset(name.strip() for name in names.split(",") if name.strip()) for code, names in rows}


APP = _listed_parameters(FailureCode)
TRAINER = _listed_parameters(TrainerFailure)
PHRASES = Phrasebook(TABLE)


def test_the_comments_list_every_code() -> None:
    assert set(APP) == {code.value for code in FailureCode}
    assert set(TRAINER) == {code.value for code in TrainerFailure}


@pytest.mark.parametrize("code", sorted({*APP, *TRAINER}))
def test_every_failure_has_a_sentence_with_its_parameters_and_a_remedy(code: str) -> None:
    sentence, remedy = PHRASES.template(code)
    used = list_parameters(sentence) | list_parameters(remedy)
    listed = [table[code] for table in (APP, TRAINER) if code in table]
    # A code that both programs know gets only what both of them give.
    assert used == frozenset.intersection(*listed)
    assert sentence.endswith(".")
    assert remedy.endswith(".")


@pytest.mark.parametrize("code", sorted(PHRASES.codes))
def test_no_sentence_holds_jargon(code: str) -> None:
    sentence, remedy = PHRASES.template(code)
    assert not JARGON.search(f"{sentence} {remedy}")
    assert sentence.strip() == sentence
    assert "\n" not in sentence + remedy


def _notice_codes() -> dict[str, frozenset[str]]:
    """Return what the trainer may put into a NoticeGiven, with the parameters that stand in its source."""
    found: dict[str, frozenset[str]] = {}
    for path in sorted((ROOT / "trainer").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        for match in re.finditer(r"NoticeGiven\(\s*\"(\w+)\"(?:,\s*\{([^}]*)\})?", source):
            found[match[1]] = frozenset(re.findall(r"\"(\w+)\":", match[2] or ""))
        for match in re.finditer(r"\.notice\(\s*\"(\w+)\"([^)]*)\)", source):
            found[match[1]] = frozenset(re.findall(r"(\w+)=", match[2]))
    return found


def test_every_notice_of_the_trainer_has_a_sentence() -> None:
    notices = _notice_codes()
    assert notices
    for code, given in notices.items():
        sentence, remedy = PHRASES.template(code)
        assert (list_parameters(sentence) | list_parameters(remedy)) <= given, code


def test_a_failure_becomes_a_sentence_and_a_remedy() -> None:
    sentence, remedy = PHRASES.say(Failure(FailureCode.FILE_NOT_FOUND, {"path": "/tmp/tale.txt"}))
    assert sentence == "There is no file at /tmp/tale.txt."
    assert remedy.startswith("Check the spelling")


def test_a_missing_parameter_never_raises() -> None:
    sentence, _ = PHRASES.say(Failure(FailureCode.FILE_NOT_FOUND, {}))
    assert "file_not_found" in sentence


def test_an_unknown_code_never_raises() -> None:
    sentence, _ = PHRASES.say(Failure("from_the_future", {"answer": 42}))
    assert "from_the_future" in sentence
    assert "42" in sentence


def test_details_are_one_short_line() -> None:
    detail = "first line\nsecond line." + "x" * 1000
    sentence, _ = PHRASES.say(Failure(FailureCode.UNEXPECTED, {"detail": detail}))
    assert "\n" not in sentence
    assert len(sentence) < 400


@pytest.mark.parametrize("content", [None, "not = [toml", '[failure]\nunexpected = 3\n[failure.text_empty]\nremedy=""'])
def test_a_damaged_table_still_speaks(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "xx.toml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    sentence, _ = Phrasebook(path).say(Failure(FailureCode.TEXT_EMPTY))
    assert "text_empty" in sentence

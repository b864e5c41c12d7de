"""Every command over a desk of fakes: what it prints, in words and as JSON, and how it ends."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storydesk.cli.program import COMMANDS, build_parser, run_command
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.tuning import RunState, RunStatus
from storydesk.services.demonstration import PROMPT
from tests.fakes.services import FakeWorld, make_model, make_world

ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Shell:
    """Runs commands and keeps what they printed."""

    world: FakeWorld
    capture: pytest.CaptureFixture[str]
    out: str = ""
    err: str = ""

    def __call__(self, *arguments: str) -> int:
        code = run_command(arguments, lambda _notice: self.world.desk, ROOT / "resources")
        self.out, self.err = self.capture.readouterr()
        return code

    def json(self, *arguments: str) -> dict[str, Any]:
        assert self(*arguments, "--json") == 0, self.err
        record: dict[str, Any] = json.loads(self.out)
        return record


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(make_world(tmp_path / "home"), capsys)


@pytest.fixture
def tale(tmp_path: Path) -> Path:
    path = tmp_path / "tale.txt"
    path.write_text("I recieve teh bell.\r\nIt rang.\r\n", encoding="utf-8", newline="")
    return path


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit) as leaving:
            build_parser().parse_args([command, "--help"])
        assert leaving.value.code == 0
        assert "--json" in capsys.readouterr().out


class TestWrite:
    def test_json_has_the_promised_keys(self, shell: Shell) -> None:
        record = shell.json("write", "--prompt", "A bell", "--seed", "3", "--words", "4", "--count", "2")
        assert [story["seed"] for story in record["stories"]] == [3, 4]
        for story in record["stories"]:
            assert {"text", "seed", "model", "perplexity"} <= set(story)
            assert story["model"] == "starter"
            assert story["perplexity"] == pytest.approx(2.718281828**2)

    def test_the_same_seed_gives_the_same_story(self, shell: Shell) -> None:
        stories = [shell.json("write", "--prompt", "A bell", "--seed", "5")["stories"] for _ in range(2)]
        assert stories[0] == stories[1]

    def test_words_go_to_stdout_and_the_seed_beside_it(self, shell: Shell) -> None:
        assert shell("write", "--prompt", "A bell", "--words", "3", "--seed", "0") == 0
        assert shell.out == "the bell rang.\n"
        assert "seed 0" in shell.err

    def test_several_stories_have_headings(self, shell: Shell) -> None:
        shell("write", "--prompt", "A bell", "--words", "3", "--count", "2", "--seed", "0")
        assert shell.out.count("## Story") == 2

    def test_sampling_reaches_the_engine(self, shell: Shell) -> None:
        shell("write", "--prompt", "A bell", "--temperature", "0", "--top-p", "0.5", "--words", "2")
        settings = shell.world.loader.engines[0].requests[0].settings
        assert (settings.temperature, settings.top_p) == (0.0, 0.5)

    def test_every_wish_reaches_the_engine(self, shell: Shell) -> None:
        wishes = {
            "--top-k": "40", "--min-p": "0.1", "--typical": "0.9", "--repetition": "1.2", "--frequency": "0.3",
            "--presence": "0.2", "--no-repeat": "3", "--ban": "suddenly", "--prefer": "lantern=2.5", "--stop": "End",
            "--min-words": "1", "--max-words": "9", "--memory": "Mara is old.", "--note": "fog", "--alternatives": "2",
        }  # fmt: skip
        record = shell.json(
            "write", "--prompt", "A bell", "--words", "2", *(part for pair in wishes.items() for part in pair)
        )
        request = shell.world.loader.engines[0].requests[0]
        settings = request.settings
        assert (settings.top_k, settings.min_p, settings.typical_p) == (40, 0.1, 0.9)
        assert (settings.repetition_penalty, settings.frequency_penalty, settings.presence_penalty) == (1.2, 0.3, 0.2)
        assert (settings.no_repeat_ngram, settings.banned, settings.stops) == (3, ("suddenly",), ("End",))
        assert settings.phrase_bias == (("lantern", 2.5),)
        assert (settings.minimum_words, settings.maximum_words) == (1, 9)
        assert request.alternatives == 2
        assert request.context.startswith("Mara is old.\n\nPrompt: A bell")
        assert "fog" in request.context[slice(*request.note)]
        assert [len(choice["alternatives"]) for choice in record["stories"][0]["choices"]] == [2, 2]

    def test_stories_written_side_by_side_are_told_one_after_another(self, shell: Shell) -> None:
        shell("write", "--prompt", "A bell", "--words", "3", "--count", "2", "--seed", "0")
        first, second = shell.out.split("## Story 2")
        assert "the bell rang." in first
        assert "bell rang. the" in second
        assert len(shell.world.loader.engines[0].requests) == 1

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("--prefer", "lantern"),
            ("--prefer", "lantern=much"),
            ("--typical", "0"),
            ("--presence", "99"),
            ("--words", "0"),
            ("--words", "many"),
            ("--count", "-1"),
            ("--temperature", "3"),
            ("--temperature", "nan"),
            ("--top-p", "0"),
            ("--top-p", "1.5"),
            ("--seed", "-1"),
            ("--seed", str(2**31)),
            ("--seed", ""),
        ],
    )
    def test_numbers_out_of_range_are_one_sentence(self, shell: Shell, option: str, value: str) -> None:
        assert shell("write", "--prompt", "A bell", option, value) == 2
        assert shell.out == ""
        assert shell.err.startswith(option)
        assert shell.err.count("\n") == 1

    @pytest.mark.parametrize("prompt", ["", "  \n"])
    def test_an_empty_prompt_is_one_sentence(self, shell: Shell, prompt: str) -> None:
        assert shell("write", "--prompt", prompt) == 2
        assert shell.err == "--prompt can't be empty. Give a sentence to start from.\n"

    def test_an_unknown_model(self, shell: Shell) -> None:
        assert shell("write", "--prompt", "A bell", "--model", "nobody") == 1
        assert "nobody" in shell.err


class TestScore:
    def test_json_has_the_promised_keys(self, shell: Shell, tale: Path) -> None:
        record = shell.json("score", str(tale))
        assert {"perplexity", "nats_per_word", "bits_per_byte", "tokens", "words"} <= set(record)
        assert (record["tokens"], record["words"]) == (6, 6)

    def test_words_for_people(self, shell: Shell, tale: Path) -> None:
        assert shell("score", str(tale)) == 0
        assert "perplexity" in shell.out
        assert "nats per word" in shell.out

    @pytest.mark.parametrize(("part", "count"), [("sentence", 3), ("paragraph", 2)])
    def test_part_by_part(self, shell: Shell, tmp_path: Path, part: str, count: int) -> None:
        path = tmp_path / "parts.txt"
        path.write_text("He came. Then fog.\n\nNobody saw.", encoding="utf-8")
        record = shell.json("score", str(path), "--by", part)
        assert len(record[f"{part}s"]) == count
        assert record[f"{part}s"][-1]["text"] == "Nobody saw."
        assert record["stride"] == 64
        assert shell("score", str(path), "--by", part) == 0
        assert "Nobody saw." in shell.out

    def test_beside_another_model(self, shell: Shell, tale: Path) -> None:
        shell.world.models.shelf["mine"] = make_model("mine", built_in=False)
        record = shell.json("score", str(tale), "--model", "mine", "--compare", "starter")
        assert (record["model"], record["compare"]["model"]) == ("mine", "starter")
        assert len(record["words_compared"]) == 6
        assert all(word["gain"] == 0 for word in record["words_compared"])
        assert shell("score", str(tale), "--model", "mine", "--compare", "starter") == 0
        assert "most its own" in shell.out

    def test_an_unknown_part_is_one_sentence(self, shell: Shell, tale: Path) -> None:
        assert shell("score", str(tale), "--by", "chapter") == 2
        assert shell.err.startswith("--by")

    def test_standard_input(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Die Glocke läutete.".encode())))
        assert shell.json("score", "-")["words"] == 3

    def test_empty_standard_input_is_named_so(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
        assert shell("score", "-") == 1
        assert shell.err.startswith("Standard input has no text in it.")

    def test_a_missing_file(self, shell: Shell) -> None:
        assert shell("score", "/nowhere/tale.txt") == 1
        assert shell.err.startswith("There is no file at /nowhere/tale.txt.")


class TestPolish:
    def test_json_has_the_promised_keys(self, shell: Shell, tale: Path) -> None:
        record = shell.json("polish", str(tale))
        assert record["text"] == "I receive the bell.\r\nIt rang.\r\n"
        assert [finding["text"] for finding in record["findings"]] == ["recieve", "teh"]
        assert all(finding["applied"] for finding in record["findings"])

    def test_without_write_the_file_stays(self, shell: Shell, tale: Path) -> None:
        before = tale.read_bytes()
        assert shell("polish", str(tale)) == 0
        assert tale.read_bytes() == before
        assert "1:11: spelling" in shell.out

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_write_keeps_line_ends_and_encoding(self, shell: Shell, tale: Path, encoding: str) -> None:
        text = "I recieve teh bell — twice.\r\n\r\nIt rang.\n"
        tale.write_bytes(text.encode(encoding))
        shell.world.documents.read = lambda path: ("tale", text)  # type: ignore[method-assign]  # other encodings
        assert shell("polish", str(tale), "--write") == 0
        mended = text.replace("recieve", "receive").replace("teh", "the")
        assert tale.read_bytes() == mended.encode(encoding)

    def test_other_documents_get_a_mended_copy(self, shell: Shell, tmp_path: Path) -> None:
        path = tmp_path / "tale.docx"
        path.write_text("I recieve it.", encoding="utf-8")
        record = shell.json("polish", str(path), "--write")
        assert path.read_text(encoding="utf-8") == "I recieve it."
        copy = tmp_path / "tale-polished.docx"
        assert record["written"] == str(copy.resolve())
        assert "I receive it." in copy.read_text(encoding="utf-8")

    def test_a_pipe_gets_the_mended_text_and_nothing_else(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"teh bell\n")))
        assert shell("polish", "-") == 0
        assert shell.out == "the bell\n"
        assert "teh" in shell.err

    def test_standard_input_can_not_be_written_to(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"teh bell\n")))
        assert shell("polish", "-", "--write") == 2

    def test_without_java_harper_goes_on_and_says_so(self, shell: Shell, tale: Path) -> None:
        shell.world.checkers["languagetool"]._failure = StorydeskError(FailureCode.JAVA_MISSING)
        record = shell.json("polish", str(tale))
        assert record["engines"] == ["harper"]
        assert "needs Java" in shell.err

    def test_an_unknown_engine(self, shell: Shell, tale: Path) -> None:
        assert shell("polish", str(tale), "--engine", "spelly") == 2
        assert shell.err == "--engine can't be spelly. Give auto, harper, languagetool.\n"


class TestExport:
    def test_the_title_is_the_files(self, shell: Shell, tale: Path, tmp_path: Path) -> None:
        out = tmp_path / "out.docx"
        record = shell.json("export", str(tale), "--to", "docx", "--out", str(out))
        assert record["path"] == str(out)
        assert record["title"] == "tale"
        assert out.read_text(encoding="utf-8").startswith("tale")

    def test_nothing_is_replaced_without_force(self, shell: Shell, tale: Path, tmp_path: Path) -> None:
        out = tmp_path / "out.md"
        out.write_text("mine", encoding="utf-8")
        assert shell("export", str(tale), "--to", "md", "--out", str(out)) == 1
        assert out.read_text(encoding="utf-8") == "mine"
        assert shell("export", str(tale), "--to", "md", "--out", str(out), "--force") == 0
        assert out.read_text(encoding="utf-8") != "mine"

    def test_an_unknown_format(self, shell: Shell, tale: Path, tmp_path: Path) -> None:
        assert shell("export", str(tale), "--to", "pages", "--out", str(tmp_path / "x")) == 1
        assert "docx, md, txt" in shell.err


class TestModels:
    def test_the_list(self, shell: Shell) -> None:
        assert shell("models") == 0
        assert "* starter" in shell.out
        assert "gpt2" in shell.out
        assert shell.json("models")["active"] == "starter"
        assert shell.json("models", "list")["models"][0]["name"] == "starter"
        assert run_command(["models", "--json", "list"], lambda _notice: shell.world.desk, ROOT / "resources") == 0
        assert json.loads(shell.capture.readouterr().out)["active"] == "starter"

    def test_add_use_show_remove(self, shell: Shell, tmp_path: Path) -> None:
        folder = tmp_path / "tiny"
        folder.mkdir()
        assert shell.json("models", "add", str(folder), "--name", "small")["model"]["name"] == "small"
        assert shell.json("models", "use", "small")["model"]["active"] is True
        assert shell.json("models", "show", "small")["model"]["layers"] == 2
        assert shell("models", "remove", "small") == 1
        assert "in use" in shell.err
        shell("models", "use", "starter")
        assert shell.json("models", "remove", "small") == {"removed": "small"}

    def test_fetch(self, shell: Shell) -> None:
        assert shell.json("models", "fetch", "gpt2")["model"]["name"] == "gpt2"

    def test_rename_delete_restore_and_roll_back(self, shell: Shell) -> None:
        shell.world.models.shelf["mine"] = make_model("mine", built_in=False)
        assert shell.json("models", "rename", "mine", "Salt")["model"]["name"] == "Salt"
        assert shell.json("models", "use", "Salt")["model"]["active"] is True
        assert shell("models", "delete", "Salt") == 1
        assert "in use" in shell.err
        assert shell.json("models", "delete", "Salt", "--use", "starter")["deleted"]["name"] == "Salt"
        assert [each["name"] for each in shell.json("models", "trash")["trash"]] == ["Salt"]
        assert shell.json("models", "restore", "Salt")["model"]["name"] == "Salt"
        assert shell.json("models", "roll-back")["model"]["name"] == "Salt"
        assert [use["name"] for use in shell.json("models", "history")["uses"]] == [
            "starter",
            "Salt",
            "starter",
            "Salt",
        ]
        assert shell("models", "history") == 0
        assert shell("models", "trash") == 0
        assert "The trash is empty." in shell.out

    def test_compare_lets_both_write(self, shell: Shell) -> None:
        shell.world.models.shelf["mine"] = make_model("mine", built_in=False)
        record = shell.json("models", "compare", "starter", "mine", "--prompt", "A bell", "--words", "5", "--seed", "3")
        assert [text["model"] for text in record["texts"]] == ["starter", "mine"]
        assert [text["seed"] for text in record["texts"]] == [3, 3]
        assert record["perplexity"] is None
        assert shell("models", "compare", "starter", "mine") == 0
        assert "can't be compared" in shell.out

    def test_export_and_lineage(self, shell: Shell, tmp_path: Path) -> None:
        shell.world.models.shelf["mine"] = dataclasses.replace(make_model("mine", built_in=False), lineage=("starter",))
        out = tmp_path / "out"
        assert shell.json("models", "export", "mine", "--to", "onnx", "--out", str(out))["path"] == str(out)
        assert [(name, str(form)) for name, form, _path in shell.world.shelf.exported] == [("mine", "onnx")]
        trees = shell.json("models", "lineage")["trees"]
        assert [(tree["name"], tree["children"][0]["name"]) for tree in trees] == [("starter", "mine")]
        assert shell("models", "lineage") == 0
        assert "└─ mine" in shell.out

    def test_show_in_words(self, shell: Shell) -> None:
        assert shell("models", "show", "starter") == 0
        assert "positions      128" in shell.out


class TestTune:
    def test_json_has_the_promised_keys(self, shell: Shell, tale: Path) -> None:
        record = shell.json("tune", "--data", str(tale), "--name", "mine", "--minutes", "1")
        assert record["model"] == "mine"
        assert record["heldout"]["perplexity_before"] == 30.0
        assert record["heldout"]["perplexity_after"] == 20.0
        assert record["in_use"] is True

    def test_the_plan_holds_what_was_asked_for(self, shell: Shell, tale: Path) -> None:
        shell("tune", "--data", str(tale), "--minutes", "2.5", "--seed", "9", "--set", "epochs=3", "--set", "dropout=0")
        plan = shell.world.launcher.plans[0]
        assert (plan.minutes, plan.seed) == (2.5, 9)
        assert plan.settings == {"epochs": 3, "dropout": 0}

    def test_no_use(self, shell: Shell, tale: Path) -> None:
        assert shell("tune", "--data", str(tale), "--name", "mine", "--no-use") == 0
        assert shell.world.desk.models.active == "starter"
        assert 'models use "mine"' in shell.out

    def test_ctrl_c_saves_and_says_how_to_go_on(self, shell: Shell, tale: Path) -> None:
        shell.world.launcher.raises = KeyboardInterrupt()
        assert shell("tune", "--data", str(tale), "--name", "mine") == 130
        assert "storydesk tune --resume mine" in shell.err
        assert list(shell.world.models.shelf) == ["starter"]

    def test_a_broken_off_run_goes_on(self, shell: Shell, tmp_path: Path) -> None:
        folder = tmp_path / "run-7"
        shell.world.launcher.broken_off = [RunState("run-7", folder, RunStatus.RUNNING, step=5, total_steps=9)]
        assert shell.json("tune", "--resume", "list")["unfinished"] == [{"run": "run-7", "step": 5, "of": 9}]
        assert shell("tune", "--resume", "run-7") == 0
        assert shell("tune", "--resume", "run-8") == 1
        assert "run-8" in shell.err

    def test_a_failure_of_the_trainers_is_a_sentence(self, shell: Shell, tale: Path, tmp_path: Path) -> None:
        failure = StorydeskError("too_little_text", stories=1, words=6, needed_stories=8).failure
        shell.world.launcher.states = [RunState("run", tmp_path).fail(failure)]
        assert shell("tune", "--data", str(tale)) == 1
        assert shell.err.splitlines()[-1].startswith("1 stories with 6 words are too little")

    def test_data_or_a_run_is_needed(self, shell: Shell) -> None:
        assert shell("tune") == 2
        assert "--data" in shell.err

    def test_progress_is_told_in_lines_where_nobody_watches(self, shell: Shell, tale: Path) -> None:
        shell("tune", "--data", str(tale))
        assert shell.err == "Tuning ...\n"


def _make_samples(shell: Shell) -> None:
    samples = shell.world.desk.samples
    samples.mkdir(parents=True, exist_ok=True)
    (samples / "tales.jsonl").write_text('{"title": "A", "prompt": "A bell", "story": "It rang."}', encoding="utf-8")
    (samples / "README.md").write_text("What the samples are.", encoding="utf-8")


class TestDemo:
    def _run(self, shell: Shell, out: Path) -> dict[str, Any]:
        _make_samples(shell)
        return shell.json("demo", "--out", str(out))

    def test_the_report_has_every_figure(self, shell: Shell, tmp_path: Path) -> None:
        shell.world.loader.script = ("The", "bell", "rang.", "I", "recieve", "teh", "letter.")
        record = self._run(shell, tmp_path / "demo")
        assert record["heldout"]["perplexity_after"] < record["heldout"]["perplexity_before"]
        assert record["parity"]["fp32_largest_difference"] == pytest.approx(1e-4)
        assert record["parity"]["int8_perplexity_excess"] == pytest.approx(0.001)
        assert record["tokens_per_second"] == 100.0
        assert record["story"]["prompt"] == PROMPT
        assert record["story"]["text"].endswith(".")
        assert {change["after"] for change in record["polish"]["changes"]} == {"receive", "the"}
        assert set(record["scores"]) == {"starter", "demo"}
        assert {Path(path).name for path in record["files"]} == {
            "story.docx",
            "story.md",
            "story.txt",
            "report.md",
            "report.json",
        }
        assert all(Path(path).is_file() for path in record["files"])
        assert json.loads((tmp_path / "demo" / "report.json").read_text(encoding="utf-8")) == record

    def test_nothing_is_overwritten(self, shell: Shell, tmp_path: Path) -> None:
        out = tmp_path / "demo"
        out.mkdir()
        (out / "mine.txt").write_text("mine", encoding="utf-8")
        record = self._run(shell, out)
        assert Path(record["files"][0]).parent.name == "demo-2"
        assert [path.name for path in out.iterdir()] == ["mine.txt"]

    def test_it_is_used_by_those_who_have_nothing_else(self, shell: Shell, tmp_path: Path) -> None:
        assert self._run(shell, tmp_path / "demo")["in_use"] is True
        assert shell.world.desk.models.active == "demo"

    def test_a_model_of_ones_own_stays_in_use(self, shell: Shell, tmp_path: Path) -> None:
        shell.world.models.shelf["mine"] = make_model("mine", built_in=False)
        shell.world.desk.models.use("mine")
        assert self._run(shell, tmp_path / "demo")["in_use"] is False
        assert shell.world.desk.models.active == "mine"

    def test_only_stories_are_tuned_on(self, shell: Shell, tmp_path: Path) -> None:
        self._run(shell, tmp_path / "demo")
        assert [Path(path).name for path in shell.world.launcher.plans[0].data] == ["tales.jsonl"]

    def test_nobody_is_left_speaking(self, shell: Shell, tmp_path: Path) -> None:
        shell.world.loader.script = ('"Ring', 'it."', *["No."] * 150, '"He', *["no."] * 200)
        text = self._run(shell, tmp_path / "demo")["story"]["text"]
        assert text.count("“") == text.count("”")

    def test_the_writers_stories_stay_as_they_are(self, shell: Shell, tmp_path: Path) -> None:
        self._run(shell, tmp_path / "demo")
        assert shell.world.library.stories == {}

    def test_the_report_in_words(self, shell: Shell, tmp_path: Path) -> None:
        _make_samples(shell)
        shell.world.checkers["languagetool"]._failure = StorydeskError(FailureCode.JAVA_MISSING)
        assert shell("demo", "--out", str(tmp_path / "demo")) == 0
        assert shell.out.rstrip("\n") == (tmp_path / "demo" / "report.md").read_text(encoding="utf-8").rstrip("\n")
        assert "30.00 before, 20.00 after, 33 % lower" in shell.out
        assert "LanguageTool needs Java" in shell.out

    def test_a_story_that_never_ends_is_cut_at_its_last_sentence(self, shell: Shell, tmp_path: Path) -> None:
        shell.world.loader.script = (*["and"] * 100, "He", "said.", *["and"] * 200)
        record = self._run(shell, tmp_path / "demo")
        assert record["story"]["text"].endswith("and He said.")

    def test_the_prompt_is_not_among_the_samples(self) -> None:
        for path in (ROOT / "resources" / "samples").glob("*.jsonl"):
            assert PROMPT not in path.read_text(encoding="utf-8")


class TestWaysOut:
    @pytest.mark.parametrize("arguments", [["sing"], ["write"], ["write", "--prompt", "x", "--nonsense"], ["score"]])
    def test_what_is_not_understood(self, shell: Shell, arguments: list[str]) -> None:
        assert shell(*arguments) == 2
        assert shell.out == ""
        assert "--help` explains it." in shell.err
        assert shell.err.count("\n") == 1

    def test_json_has_the_error_too(self, shell: Shell) -> None:
        assert shell("score", "/nowhere.txt", "--json") == 1
        error = json.loads(shell.out)["error"]
        assert error["code"] == "file_not_found"
        assert f"{error['sentence']} {error['remedy']}\n" == shell.err

    def _raise(self, shell: Shell, error: BaseException) -> None:
        def load(model: object) -> Any:
            raise error

        shell.world.loader.load = load  # type: ignore[method-assign]  # any load may end like this

    @pytest.mark.parametrize(
        ("error", "code", "words"),
        [
            (KeyboardInterrupt(), 130, "Stopped, as you asked."),
            (MemoryError(), 1, "There is not enough memory for this."),
            (OSError(28, "No space left on device", "/tmp/x"), 1, "The disk is full"),
            (OSError(27, "File too large", "/tmp/x"), 1, "The disk is full"),
            (PermissionError(13, "Permission denied", "/tmp/x"), 1, "Nothing could be written to /tmp/x"),
            (ValueError("odd"), 1, "Something unexpected happened (ValueError: odd)"),
        ],
    )
    def test_every_way_out_is_a_sentence(self, shell: Shell, error: BaseException, code: int, words: str) -> None:
        self._raise(shell, error)
        assert shell("write", "--prompt", "A bell") == code
        assert shell.err.strip().startswith(words)
        assert "Traceback" not in shell.err

    def test_the_traceback_is_there_for_those_who_ask(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STORYDESK_TRACEBACK", "1")
        self._raise(shell, ValueError("odd"))
        shell("write", "--prompt", "A bell")
        assert "Traceback" in shell.err

    def test_a_broken_pipe_is_silent(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("storydesk.cli.program._discard_stdout", lambda: None)
        self._raise(shell, BrokenPipeError())
        assert shell("write", "--prompt", "A bell") == 1
        assert shell.err == ""

    def test_the_desk_is_closed_whatever_happens(self, shell: Shell, tale: Path) -> None:
        closed: list[Callable[[], None]] = []
        shell.world.library.close = lambda: closed.append(lambda: None)  # type: ignore[method-assign]  # a spy
        shell("score", "/nowhere.txt")
        shell("score", str(tale))
        assert len(closed) == 2

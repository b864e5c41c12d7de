"""The real commands as processes, with a tiny GPT-2."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import docx
import pytest

from tests.end_to_end.commands import Storydesk


def test_write_repeats_with_a_seed(tiny: Storydesk) -> None:
    arguments = ("write", "--prompt", "A keeper hears a bell", "--seed", "11", "--words", "12", "--count", "2")
    first, second = tiny.json(*arguments), tiny.json(*arguments)
    assert [story["text"] for story in first["stories"]] == [story["text"] for story in second["stories"]]
    assert [story["seed"] for story in first["stories"]] == [11, 12]
    assert first["stories"][0]["text"] != first["stories"][1]["text"]
    assert all(story["model"] == "tiny" and story["perplexity"] > 0 for story in first["stories"])


def test_write_streams_words(tiny: Storydesk) -> None:
    result = tiny("write", "--prompt", "A keeper", "--seed", "1", "--words", "8")
    assert result.code == 0
    assert result.out.strip()
    assert "seed 1" in result.err
    assert "\x1b" not in result.out + result.err


def test_score_has_figures(tiny: Storydesk, tale: Path) -> None:
    record = tiny.json("score", tale)
    assert record["perplexity"] > 1
    assert record["nats_per_word"] > 0
    assert record["bits_per_byte"] > 0
    assert record["tokens"] > record["words"] > 10
    piped = tiny.json("score", "-", stdin=tale.read_bytes())
    assert piped["words"] >= record["words"]


def test_polish_with_harper(tiny: Storydesk, tale: Path) -> None:
    before = tale.read_bytes()
    record = tiny.json("polish", tale, "--engine", "harper", "--dialogue")
    assert tale.read_bytes() == before
    assert any(finding["text"] == "recieved" for finding in record["findings"])
    assert "received" in record["text"]
    assert tiny("polish", tale, "--engine", "harper", "--dialogue", "--write").code == 0
    mended = tale.read_text(encoding="utf-8")
    assert mended.startswith("# The Bell\n\n“Did you hear it?”")
    assert "he received no letter" in mended


def test_export_to_docx_opens(tiny: Storydesk, tale: Path, tmp_path: Path) -> None:
    out = tmp_path / "bell.docx"
    assert tiny.json("export", tale, "--to", "docx", "--out", out)["path"] == str(out.resolve())
    document = docx.Document(str(out))
    words = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert "The Bell" in words
    assert "“Did you hear it?” she said." in words
    assert tiny.json("score", out)["words"] > 10
    again = tiny("export", tale, "--to", "docx", "--out", out)
    assert again.code == 1
    assert "is there already" in again.err
    assert tiny("export", tale, "--to", "docx", "--out", out, "--force").code == 0


def test_models_come_and_go(storydesk: Storydesk, tiny_folder: Path) -> None:
    assert storydesk.json("models")["active"] == "starter"
    added = storydesk.json("models", "add", tiny_folder, "--name", "small one")["model"]
    assert (added["name"], added["layers"], added["positions"]) == ("small one", 2, 128)
    assert storydesk.json("models", "use", "small one")["model"]["active"] is True
    assert [model["name"] for model in storydesk.json("models", "list")["models"]] == ["starter", "small one"]
    assert storydesk("models", "remove", "small one").code == 1
    assert storydesk("models", "use", "starter").code == 0
    assert storydesk.json("models", "remove", "small one") == {"removed": "small one"}
    assert not Path(added["folder"]).exists()


def test_no_command_loads_torch_or_qt(tiny: Storydesk, tale: Path) -> None:
    code = f"""
import sys
from storydesk.__main__ import main
for arguments in (["write", "--prompt", "A bell", "--words", "3"], ["score", {str(tale)!r}], ["models"],
                  ["polish", {str(tale)!r}, "--engine", "harper"]):
    assert main(arguments) == 0, arguments
loaded = {{name.split(".")[0] for name in sys.modules}}
assert not loaded & {{"torch", "transformers", "PySide6", "datasets", "accelerate"}}, loaded
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=tiny.all_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_tune_and_write_with_it(storydesk: Storydesk, tiny_folder: Path, resources: Path) -> None:
    storydesk("models", "add", tiny_folder)
    record = storydesk.json(
        "tune", "--data", resources / "samples", "--base", "tiny", "--name", "mine", "--minutes", "0.2",
        "--set", "sample_stories=1", "--set", "sample_tokens=20",
    )  # fmt: skip
    assert record["model"] == "mine"
    assert 0 < record["heldout"]["perplexity_after"] < record["heldout"]["perplexity_before"]
    assert record["in_use"] is True
    story = storydesk.json("write", "--prompt", "A bell", "--words", "5")["stories"][0]
    assert story["model"] == "mine"
    base = storydesk.json("models", "lineage")["trees"][1]
    grown = base["children"][0]
    assert (base["name"], grown["name"], grown["generation"], grown["active"]) == ("tiny", "mine", 1, True)
    assert grown["data"]["training_stories"] > 10


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Ctrl+C is sent by signal here")
def test_ctrl_c_saves_and_resume_goes_on(storydesk: Storydesk, tiny_folder: Path, resources: Path) -> None:
    storydesk("models", "add", tiny_folder)
    command = storydesk.command(
        "tune", "--data", resources / "samples", "--base", "tiny", "--name", "mine", "--minutes", "0.3",
        "--set", "sample_stories=0", "--set", "patience=1000", "--set", "epochs=1000",
    )  # fmt: skip
    process = subprocess.Popen(
        command,
        env=storydesk.all_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test command started in the background ignores Ctrl+C, and a child would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    runs = storydesk.home / "runs"
    deadline = time.monotonic() + 240
    while not any(runs.glob("*/events.jsonl")) or "step_taken" not in next(runs.glob("*/events.jsonl")).read_text():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    run = next(runs.iterdir()).name
    assert f"storydesk tune --resume {run}" in err
    assert [model["name"] for model in storydesk.json("models")["models"]] == ["starter", "tiny"]
    record = storydesk.json("tune", "--resume", run, "--no-use")
    assert record["model"] == "mine"
    assert record["in_use"] is False


@pytest.mark.skipif(os.name == "nt", reason="pipes end otherwise there")
def test_a_broken_pipe_is_silent(tiny: Storydesk) -> None:
    process = subprocess.Popen(
        tiny.command("write", "--prompt", "A bell", "--words", "200", "--count", "3", "--seed", "1"),
        env=tiny.all_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1)
    process.stdout.close()
    err = process.stderr.read().decode()
    process.wait(60)
    process.stderr.close()
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there always is a screen")
def test_without_a_screen_the_window_says_so(storydesk: Storydesk) -> None:
    nothing = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""}
    result = storydesk(environment=nothing)
    assert result.code == 2
    assert result.err.startswith("There is no screen here to open a window on.")
    assert result.err.count("\n") == 1


def test_version(storydesk: Storydesk) -> None:
    assert storydesk("--version").out.startswith("storydesk ")

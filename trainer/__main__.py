"""``storydesk-train``: arguments to exit code. 0 done, 3 stopped, 1 an expected failure, 70 an unexpected one."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from trainer.control import Control, RunLock, StopRequested, read_rank
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import RunCompleted, RunFailed, RunStopped, Stage, StageEntered
from trainer.reporter import JOURNAL_NAME, Reporter, take_stdout

EXIT_DONE, EXIT_FAILED, EXIT_STOPPED, EXIT_UNEXPECTED = 0, 1, 3, 70


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; stdout carries one JSON event a line and nothing else."""
    options = _make_parser().parse_args(arguments)
    stdout = take_stdout()
    _quieten_libraries()
    if options.command == "build":
        return _run_build(options, Reporter(stdout))
    return _run_pretraining(options, stdout) if options.command == "pretrain" else _run_folder(options, stdout)


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="storydesk-train", description="Tune a GPT-2 on stories, or make the graphs that Storydesk writes with."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    tune = commands.add_parser("tune", help="carry out the run that RUN_FOLDER/request.json asks for, or go on with it")
    tune.add_argument("run_folder", type=Path, metavar="RUN_FOLDER")
    tune.add_argument("--detached", action="store_true", help="go on when stdin ends or stdout closes")
    foresee = commands.add_parser("plan", help="say how long RUN_FOLDER/request.json would take and what it needs")
    foresee.add_argument("run_folder", type=Path, metavar="RUN_FOLDER")
    foresee.set_defaults(detached=False)
    judge = commands.add_parser("judge", help="judge models as JUDGE_FOLDER/request.json asks, or go on with it")
    judge.add_argument("run_folder", type=Path, metavar="JUDGE_FOLDER")
    judge.add_argument("--detached", action="store_true", help="go on when stdin ends or stdout closes")
    data = commands.add_parser("data", help="read and examine the text that DATASET_FOLDER/request.json names")
    data.add_argument("run_folder", type=Path, metavar="DATASET_FOLDER")
    data.add_argument("--examine", action="store_true", help="only examine again, after edits")
    data.add_argument("--keep", action="store_true", help="only write the pairs as they stand as a version")
    data.set_defaults(detached=False)
    _add_pretraining(commands.add_parser("pretrain", help="train a GPT-2 and its tokenizer from nothing"))
    build = commands.add_parser("build", help="make a model bundle of a GPT-2 folder; needs no torch")
    build.add_argument("--weights", type=Path, required=True, metavar="DIR", help="the GPT-2 folder")
    build.add_argument("--bundle", type=Path, required=True, metavar="DIR", help="the folder to make")
    build.add_argument("--name", required=True, help="the model's name")
    build.add_argument("--origin", default="", metavar="TEXT", help="where the model comes from")
    build.add_argument("--licence", default="", metavar="TEXT", help="the model's licence")
    build.add_argument("--portable", action="store_true", help="export Optimum's graph as well (needs torch)")
    build.add_argument(
        "--precision",
        action="append",
        default=[],
        choices=("fp32", "fp16", "int8", "int4"),
        help="a graph to make besides fp32; may be given several times (int8 and int4, and fp16 where there is a GPU)",
    )
    return parser


def _add_pretraining(parser: argparse.ArgumentParser) -> None:
    from trainer.pretraining.settings import add_options

    parser.add_argument("texts", type=Path, metavar="FOLDER_OF_TEXT", help="txt and md files, in folders or not")
    parser.add_argument(
        "--out", dest="run_folder", type=Path, required=True, metavar="DIR", help="the folder of the run"
    )
    parser.add_argument("--name", default="", help="the model's name")
    parser.add_argument("--licence", default="unknown", metavar="TEXT", help="the model's licence, for its card")
    parser.add_argument("--titles", type=Path, metavar="TSV", help="a table with the columns file and title")
    parser.add_argument("--detached", action="store_true", help="go on when stdin ends or stdout closes")
    add_options(parser)


def _run_pretraining(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Make the folder of the run and carry the pretraining out in it."""
    try:
        options.run_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        failure = TrainerError(TrainerFailure.BAD_REQUEST, detail=f"{options.run_folder}: {error.strerror}")
        return _conclude(Reporter(stdout), lambda: _throw(failure))
    return _run_folder(options, stdout)


def _pretrain(options: argparse.Namespace, reporter: Reporter, control: Control) -> None:
    from trainer.pretraining.recipe import PretrainingRequest, pretrain
    from trainer.pretraining.settings import from_options

    settings = from_options(vars(options))
    request = PretrainingRequest(
        options.texts, options.run_folder, settings, options.name, options.licence, options.titles
    )
    pretrain(request, reporter, control)


def _run_folder(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Take the run folder, carry out the run and leave the folder free."""
    folder: Path = options.run_folder
    if not folder.is_dir():
        error = TrainerError(TrainerFailure.BAD_REQUEST, detail=f"{folder} is no folder")
        return _conclude(Reporter(stdout), lambda: _throw(error))
    if read_rank() > 0:
        return _run_member(options, folder)
    try:
        lock = RunLock(folder)
    except TrainerError as error:
        # The journal belongs to the trainer that has the lock.
        in_use = error
        return _conclude(Reporter(stdout), lambda: _throw(in_use))
    try:
        control = Control(folder, detached=options.detached)
        reporter = Reporter(stdout, folder / JOURNAL_NAME)
        reporter.on_broken_stdout = control.note_broken_stdout
        control.watch_stdin(sys.stdin)
        control.watch_signals()

        def run() -> None:
            # numpy and onnx take their time, and a locked folder or a bad option shouldn't.
            if options.command == "pretrain":
                _pretrain(options, reporter, control)
                return
            if options.command == "judge":
                from trainer.judging.job import judge

                judge(folder, reporter, control)
                return
            if options.command == "data":
                from trainer.corpus.dataset import work_on_dataset

                work_on_dataset(folder, reporter, control, examine=options.examine, keep=options.keep)
                return
            from trainer.recipe import plan, tune

            if options.command == "plan":
                plan(folder, reporter, control)
                reporter.report(RunStopped(0))
                return
            from trainer.tuning.endings import keeping_last_frames

            with keeping_last_frames(folder):
                tune(folder, reporter, control)

        return _conclude(reporter, run)
    finally:
        lock.release()


def _run_member(options: argparse.Namespace, folder: Path) -> int:
    """Compute along with the first process of a team, which alone speaks and writes."""
    control = Control(detached=True)
    with Path(os.devnull).open("wb") as nowhere:

        def run() -> None:
            from trainer.recipe import plan, tune

            (plan if options.command == "plan" else tune)(folder, reporter, control)

        reporter = Reporter(nowhere)
        return _conclude(reporter, run)


def _run_build(options: argparse.Namespace, reporter: Reporter) -> int:
    """Make a bundle; a stop line ends it, the end of stdin doesn't: it takes seconds and leaves nothing behind."""
    control = Control()
    reporter.on_broken_stdout = control.note_broken_stdout
    control.watch_stdin(sys.stdin, until_end=False)
    control.watch_signals()

    def enter(stage: Stage) -> None:
        control.raise_if_stopping()
        reporter.report(StageEntered(stage))

    def run() -> None:
        from trainer.export.building import build_model

        began = time.monotonic()
        build_model(
            options.weights,
            options.bundle,
            name=options.name,
            origin=options.origin,
            licence=options.licence,
            portable=options.portable,
            precisions=options.precision,
            reporter=reporter,
            check=control.raise_if_stopping,
            enter=enter,
        )
        reporter.report(RunCompleted(str(options.bundle), 0.0, 0.0, 0, round(time.monotonic() - began, 1)))

    return _conclude(reporter, run)


def _conclude(reporter: Reporter, run: Callable[[], None]) -> int:
    """Run, report how it ended and return the exit code."""
    from trainer.resources import explain

    try:
        run()
    except (StopRequested, KeyboardInterrupt):
        _report_end(reporter, RunStopped(reporter.saved_step))
        return EXIT_STOPPED
    except Exception as error:  # noqa: BLE001 - the outermost frame: everything must end in an event
        expected = explain(error)
        if expected is not None:
            print(f"{expected.code.value}: {dict(expected.parameters)}", file=sys.stderr)
            _report_end(reporter, RunFailed(expected.code.value, dict(expected.parameters)))
            return EXIT_FAILED
        traceback.print_exc()
        detail = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        _report_end(reporter, RunFailed(TrainerFailure.UNEXPECTED.value, {"detail": detail}))
        return EXIT_UNEXPECTED
    finally:
        reporter.close()
    return EXIT_DONE


def _report_end(reporter: Reporter, event: RunStopped | RunFailed) -> None:
    """Report the last event; where the disk is full, stdout has it all the same."""
    try:
        reporter.report(event)
    except (TrainerError, OSError) as error:
        print(f"the journal can't be written: {error}", file=sys.stderr)


def _throw(error: TrainerError) -> None:
    raise error


def _quieten_libraries() -> None:
    """Keep progress bars and advice of libraries out of the log, and everything of theirs off the network."""
    for name, value in (
        ("TRANSFORMERS_VERBOSITY", "error"),
        ("TOKENIZERS_PARALLELISM", "true"),
        ("HF_HUB_DISABLE_TELEMETRY", "1"),
        ("PYTORCH_ENABLE_MPS_FALLBACK", "1"),  # what Apple's GPUs can't compute, the processor does
        ("ORT_DISABLE_TELEMETRY", "1"),  # onnxruntime 1.31 reports to Microsoft unless told not to before its import
        ("HF_HUB_DISABLE_PROGRESS_BARS", "1"),
        ("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1"),
    ):
        os.environ.setdefault(name, value)


if __name__ == "__main__":
    sys.exit(main())

"""Improving from choices, shown by a rater with a hidden taste: ``python -m tests.bench.simulated_rater``.

The starter writes pairs of short texts on prompts of the samples; the rater, who knows nothing but a taste (short
sentences, or dialogue), chooses one of each; one real trainer process learns from that; then the starter and what came
of it write on other prompts, with equal seeds. With ``--generations 2`` the rater then chooses between texts of the new
model, which learns from all choices so far. Prints a Markdown table: the taste's measure of the starter and now, its
change with a 95 % interval (bootstrap over prompts), held-out choices and held-out perplexity, the starter's and this
generation's. A generation takes minutes; each seed has texts, choices and a split of its own. ``--keep FOLDER`` keeps
runs, and what the starter wrote, for other settings.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.base import open_base
from trainer.config import Hyperparameters
from trainer.corpus.tokens import load_tokenizer
from trainer.judging.drawing import find_words
from trainer.judging.quantities import compare, take_ratios
from trainer.judging.statistics import Estimate, Resampling
from trainer.judging.writing import StoryOrder, Writer, make_seed
from trainer.protocol.codec import encode_request
from trainer.protocol.feedback import FEEDBACK_FILE, FeedbackPair, encode_feedback
from trainer.protocol.messages import Parameter, Request
from trainer.tuning.devices import choose_device, share_processor
from trainer.tuning.network import load_network, move_network

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "resources" / "samples"
STARTER = ROOT / "resources" / "starter"

NEW_PROMPTS = 24
"""Prompts that no choice was made on."""

_HELDOUT_EVERY = 5
_AT_ONCE = 32
_SENTENCE_END = re.compile(r"[.!?…]+[\"”’')]*(?=\s|$)")
_SPOKEN = re.compile(r"[\"“]([^\"“”]*)[\"”]")

Measure = Callable[[str], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Taste:
    """What the rater likes: more (``sign`` 1) or less (-1) of a ratio, given as what is divided and by what."""

    name: str
    unit: str
    sign: int
    measure: Measure

    def score(self, text: str) -> float:
        """Return how well a text is liked."""
        upper, lower = self.measure(text)
        return self.sign * upper / max(lower, 1e-9)


def measure_sentences(text: str) -> tuple[float, float]:
    """Return words and sentences; a last sentence that was cut off counts as neither."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return (float(len(text[: ends[-1]].split())), float(len(ends))) if ends else (float(len(text.split())), 1.0)


def measure_dialogue(text: str) -> tuple[float, float]:
    """Return words between quotation marks, and words."""
    return float(sum(len(spoken.split()) for spoken in _SPOKEN.findall(text))), float(len(text.split()))


TASTES = {
    "sentences": Taste("short sentences", "words per sentence", -1, measure_sentences),
    "dialogue": Taste("dialogue", "share of words spoken", 1, measure_dialogue),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one generation of one seed; ``before`` and the first perplexity are the first base's."""

    name: str
    before: float
    after: float
    change: Estimate
    choices: tuple[float, float, float, float]
    perplexity: tuple[float, float]
    seconds: tuple[float, float, float]


def read_prompts(seed: int) -> tuple[list[str], list[str]]:
    """Return prompts to choose on and new ones, without any in common."""
    prompts = [
        str(json.loads(line)["prompt"])
        for path in sorted(SAMPLES.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    prompts = list(dict.fromkeys(prompts))
    random.Random(f"prompts {seed}").shuffle(prompts)
    return prompts[NEW_PROMPTS:], prompts[:NEW_PROMPTS]


def write(model: Path, orders: Sequence[StoryOrder], tokens: int) -> dict[str, str]:
    """Return what a model writes, by the orders' keys."""
    base, settings = open_base(model), Hyperparameters()
    device = choose_device(settings)
    network = load_network(base.weights, settings)
    move_network(network, device.torch)
    tokenizer = load_tokenizer(base.weights)
    words = find_words(tokenizer, base.shape.vocabulary)
    end, positions = base.shape.end_token_id, base.shape.positions
    writer = Writer(network, tokenizer, base.template, words, end, positions, device.torch)
    found: dict[str, str] = {}
    with share_processor(base.weight_count, device.torch):
        for start in range(0, len(orders), _AT_ONCE):
            for story in writer.write(orders[start : start + _AT_ONCE], tokens=tokens):
                found[story.key] = story.text
    return found


def order_stories(prompts: Sequence[str], each: int, seed: int) -> list[StoryOrder]:
    """Return orders for so many stories on each prompt, with the app's settings."""
    return [
        StoryOrder(f"{place}/{number}", prompt, {}, make_seed(seed, prompt, number))
        for place, prompt in enumerate(prompts)
        for number in range(each)
    ]


def make_choices(taste: Taste, prompts: Sequence[str], texts: dict[str, str], choices: int) -> list[FeedbackPair]:
    """Return the rater's choices between the first and second, third and fourth, ... text of each prompt.

    Choices of every fifth prompt are kept aside. Nobody chooses where there is nothing to choose between.
    """
    pairs = []
    for number in range(choices):
        place, turn = number % len(prompts), number // len(prompts)
        one, two = (texts[f"{place}/{2 * turn + side}"] for side in (0, 1))
        if not one.strip() or not two.strip() or taste.score(one) == taste.score(two):
            continue
        better, worse = (one, two) if taste.score(one) > taste.score(two) else (two, one)
        pairs.append(FeedbackPair(prompts[place], "", better, worse, 1.0, "choice", place % _HELDOUT_EVERY == 0))
    return pairs


def improve(
    folder: Path, base: Path, pairs: Sequence[FeedbackPair], seed: int, settings: dict[str, Parameter]
) -> list[dict[str, Any]]:
    """Carry out one run that learns from the pairs; return its events. The bundle is ``folder/bundle``."""
    folder.mkdir(parents=True, exist_ok=True)
    request = Request(
        run_id=folder.name,
        base=str(base),
        data=(str(SAMPLES),),
        name="Improved",
        bundle=str(folder / "bundle"),
        seed=seed,
        portable=False,
        settings={"sample_stories": 0, "samples_during": 0, "ranking_stories": 0, **settings},
    )
    (folder / "request.json").write_text(encode_request(request), encoding="utf-8")
    (folder / FEEDBACK_FILE).write_text("".join(encode_feedback(pair) + "\n" for pair in pairs), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "trainer", "tune", str(folder), "--detached"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None,
        check=False,
    )
    events = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    if done.returncode:
        raise SystemExit(f"the run failed: {events[-1:]}")
    return events


class Session:
    """One seed: a rater, prompts, and generation after generation of a model."""

    def __init__(self, options: argparse.Namespace, seed: int, folder: Path) -> None:
        self._options, self._seed, self._folder = options, seed, folder
        self._taste: Taste = TASTES[options.taste]
        self._asked, self._new = read_prompts(seed)
        self._new_orders = order_stories(self._new, options.stories, seed + 1_000_000)
        self._model: Path = options.base
        self._pairs: list[FeedbackPair] = []
        self._first: dict[str, str] = {}
        self._perplexity = 0.0

    def go_on(self, generation: int) -> Outcome:
        """Let the rater choose between texts of the newest model, learn from it and look at what is written then."""
        began = time.monotonic()
        texts = self._write_first() if generation == 1 else self._write_asked(generation)
        chosen_at = time.monotonic()
        self._pairs += make_choices(self._taste, self._asked, texts, self._options.choices)
        run = self._folder / f"run-{self._seed}.{generation}-{time.time_ns()}"
        events = improve(run, self._model, self._pairs, self._seed, self._options.settings)
        self._model = run / "bundle"
        learned_at = time.monotonic()
        measured = {event["moment"]: event for event in events if event["kind"] == "choices_measured"}
        completed = next(event for event in events if event["kind"] == "run_completed")
        self._perplexity = self._perplexity or completed["perplexity_before"]
        before, after, change = self._compare(write(self._model, self._new_orders, self._options.tokens))
        figures = [measured[moment][name] for name in ("accuracy", "loss") for moment in ("before", "after")]
        return Outcome(
            f"{self._seed}.{generation}",
            before,
            after,
            change,
            (figures[0], figures[1], figures[2], figures[3]),
            (self._perplexity, completed["perplexity_after"]),
            (chosen_at - began, learned_at - chosen_at, time.monotonic() - learned_at),
        )

    def _write_first(self) -> dict[str, str]:
        """Return texts to choose between, and keep what the first base writes on new prompts."""
        options = self._options
        written = self._folder / f"texts-{self._seed}-{options.choices}-{options.tokens}-{options.stories}.json"
        if written.is_file():
            self._first, texts = json.loads(written.read_text(encoding="utf-8"))
        else:
            texts = self._write_asked(1)
            self._first = write(self._model, self._new_orders, options.tokens)
            written.write_text(json.dumps([self._first, texts]), encoding="utf-8")
        return dict(texts)

    def _write_asked(self, generation: int) -> dict[str, str]:
        each = 2 * -(-self._options.choices // len(self._asked))
        orders = order_stories(self._asked, each, self._seed + 1_000 * (generation - 1))
        return write(self._model, orders, self._options.tokens)

    def _compare(self, second: dict[str, str]) -> tuple[float, float, Estimate]:
        places = [int(order.key.split("/")[0]) for order in self._new_orders]
        sides = [
            take_ratios([self._taste.measure(found[order.key]) for order in self._new_orders], places).add_up(
                len(self._new)
            )
            for found in (self._first, second)
        ]
        change, _ = compare(sides[1], sides[0], Resampling(len(self._new), self._seed))
        return sides[0].value, sides[1].value, change


def describe(outcome: Outcome) -> str:
    """Return a row of the table."""
    low, high = outcome.change.low, outcome.change.high
    share, shared, loss, lost = outcome.choices
    before, after = outcome.perplexity
    return (
        f"| {outcome.name} | {outcome.before:.3g} | {outcome.after:.3g} "
        f"| {outcome.change.value:+.3g} ({low:+.3g} to {high:+.3g}) | {share:.0%} → {shared:.0%} "
        f"| {loss:.3f} → {lost:.3f} | {before:.2f} → {after:.2f} ({after / before - 1:+.1%}) "
        f"| {' + '.join(f'{seconds:.0f}' for seconds in outcome.seconds)} |"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 where a seed's change is not beyond doubt or stories are 5 % more perplexing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--taste", choices=sorted(TASTES), default="sentences")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--choices", type=int, default=200, help="new ones for each generation")
    parser.add_argument("--generations", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=150, help="the most tokens of a text; 150 are about 110 words")
    parser.add_argument("--stories", type=int, default=4, help="new stories on each new prompt, by either model")
    parser.add_argument("--base", type=Path, default=STARTER)
    parser.add_argument("--set", dest="settings", metavar="NAME=VALUE", nargs="*", default=[])
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args(arguments)
    options.settings = {
        name: float(value) if "." in value or "e" in value else int(value)
        for name, value in (each.split("=") for each in options.settings)
    }
    taste = TASTES[options.taste]
    print(f"A rater who likes {taste.name}; {options.choices} choices. Measured: {taste.unit}.\n")
    print("| seed.generation | before | after | change (95 %) | choices told | their loss | perplexity | seconds |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    outcomes = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for seed in options.seeds:
            session = Session(options, seed, folder)
            for generation in range(1, options.generations + 1):
                outcomes.append(session.go_on(generation))
                print(describe(outcomes[-1]), flush=True)
    moved = all(each.change.excludes_zero and each.change.value * taste.sign > 0 for each in outcomes)
    writes_on = all(after <= before * 1.05 for before, after in (each.perplexity for each in outcomes))
    return 0 if moved and writes_on else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Improving from choices, shown by a rater with a hidden taste: ``python -m tests.bench.simulated_rater``.

The starter writes pairs of short texts on prompts of the samples; the rater, who knows nothing but a taste (short
sentences, or dialogue), chooses one of each; one real trainer process learns from that; then the starter and what came
of it write on other prompts, with equal seeds. Prints a Markdown table: the taste's measure before and after, its
change with a 95 % interval (bootstrap over prompts), held-out choices and held-out perplexity. A seed takes minutes;
each has texts, choices and a split of its own. ``--keep FOLDER`` keeps runs, and what the starter wrote, for other
settings.
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
    """What came of one seed."""

    seed: int
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


def try_seed(options: argparse.Namespace, seed: int, folder: Path) -> Outcome:
    """Let a rater choose, learn from it and look at what is written then."""
    taste = TASTES[options.taste]
    asked, new = read_prompts(seed)
    new_orders = order_stories(new, options.stories, seed + 1_000_000)
    began = time.monotonic()
    written = folder / f"texts-{seed}-{options.choices}-{options.tokens}-{options.stories}.json"
    if written.is_file():
        first, texts = json.loads(written.read_text(encoding="utf-8"))
    else:
        each = 2 * -(-options.choices // len(asked))
        texts = write(options.base, order_stories(asked, each, seed), options.tokens)
        first = write(options.base, new_orders, options.tokens)
        written.write_text(json.dumps([first, texts]), encoding="utf-8")
    chosen_at = time.monotonic()
    pairs = make_choices(taste, asked, texts, options.choices)
    run = folder / f"run-{seed}-{time.time_ns()}"
    events = improve(run, options.base, pairs, seed, options.settings)
    learned_at = time.monotonic()
    measured = {event["moment"]: event for event in events if event["kind"] == "choices_measured"}
    completed = next(event for event in events if event["kind"] == "run_completed")
    second = write(run / "bundle", new_orders, options.tokens)
    places = [int(order.key.split("/")[0]) for order in new_orders]
    sides = [
        take_ratios([taste.measure(found[order.key]) for order in new_orders], places).add_up(len(new))
        for found in (first, second)
    ]
    change, _ = compare(sides[1], sides[0], Resampling(len(new), seed))
    before, after = measured["before"], measured["after"]
    return Outcome(
        seed,
        sides[0].value,
        sides[1].value,
        change,
        (before["accuracy"], after["accuracy"], before["loss"], after["loss"]),
        (completed["perplexity_before"], completed["perplexity_after"]),
        (chosen_at - began, learned_at - chosen_at, time.monotonic() - learned_at),
    )


def describe(outcome: Outcome) -> str:
    """Return a row of the table."""
    low, high = outcome.change.low, outcome.change.high
    share, shared, loss, lost = outcome.choices
    before, after = outcome.perplexity
    return (
        f"| {outcome.seed} | {outcome.before:.3g} | {outcome.after:.3g} "
        f"| {outcome.change.value:+.3g} ({low:+.3g} to {high:+.3g}) | {share:.0%} → {shared:.0%} "
        f"| {loss:.3f} → {lost:.3f} | {before:.2f} → {after:.2f} ({after / before - 1:+.1%}) "
        f"| {' + '.join(f'{seconds:.0f}' for seconds in outcome.seconds)} |"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 where a seed's change is not beyond doubt or stories are 5 % more perplexing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--taste", choices=sorted(TASTES), default="sentences")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--choices", type=int, default=200)
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
    print("| seed | before | after | change (95 %) | choices told | their loss | perplexity | seconds |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    outcomes = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for seed in options.seeds:
            outcomes.append(try_seed(options, seed, folder))
            print(describe(outcomes[-1]), flush=True)
    moved = all(each.change.excludes_zero and each.change.value * taste.sign > 0 for each in outcomes)
    writes_on = all(after <= before * 1.05 for before, after in (each.perplexity for each in outcomes))
    return 0 if moved and writes_on else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Every automatic metric: what it is called, which way is good, and in a sentence what it can and can't tell.

The app's own table (``[metric.*]`` in ``resources/i18n/en.toml``) has the same words; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trainer.protocol.failures import TrainerError, TrainerFailure


class Group(StrEnum):
    """Where in a report a metric stands."""

    HELDOUT = "heldout"
    VARIETY = "variety"
    COPYING = "copying"
    PROMPT = "prompt"
    FLOW = "flow"
    FORM = "form"
    OVERLAP = "overlap"


class Direction(StrEnum):
    """Which values are good: higher, lower, those nearer to what people wrote, or none as such."""

    HIGHER = "higher"
    LOWER = "lower"
    NEARER = "nearer"
    NONE = "none"


class Form(StrEnum):
    """How a value is shown."""

    NUMBER = "number"
    PERCENT = "percent"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. ``cut`` tells that it is also measured on stories cut to equal length."""

    name: str
    group: Group
    title: str
    direction: Direction
    form: Form
    tells: str
    misses: str
    cut: bool = False


def _make_heldout() -> list[Metric]:
    group, higher, lower = Group.HELDOUT, Direction.HIGHER, Direction.LOWER
    return [
        Metric(
            "perplexity", group, "Held-out perplexity", lower, Form.NUMBER,
            "How surprised the model is by each token of stories that it did not learn from, given their prompts.",
            "Compares only models with the same tokens, and says nothing of what a model writes by itself.",
        ),
        Metric(
            "nats_per_word", group, "Surprise per word", lower, Form.NUMBER,
            "The same surprise, counted by words, so that models with other tokens can be compared.",
            "Rare names weigh as much as good prose does.",
        ),
        Metric(
            "bits_per_byte", group, "Bits per byte", lower, Form.NUMBER,
            "The same surprise, counted by bytes of text: how well the model would compress these stories.",
            "A tenth of a bit can be the spelling of names as well as a grasp of the plot.",
        ),
        Metric(
            "first_guess", group, "Next token guessed", higher, Form.PERCENT,
            "How often the model's likeliest next token is the one that the writer chose.",
            "Good writing is often not the likeliest word, so this can't reach 100 % and needn't.",
        ),
        Metric(
            "five_guesses", group, "Next token among five", higher, Form.PERCENT,
            "How often the writer's next token is among the model's five likeliest.",
            "Common words make up most of it.",
        ),
        Metric(
            "prompt_ranking", group, "Own prompt among ten", higher, Form.PERCENT,
            "How often a story is likelier under its own prompt than under nine others: does the model use its prompt?",
            "Names that stand in both prompt and story can give the answer away; chance alone gives 10 %.",
        ),
        Metric(
            "coherence", group, "Worth of the right order", higher, Form.NUMBER,
            "How much likelier the next paragraph is after the paragraphs before it in their order than shuffled, in "
            "nats per token.",
            "Sees whether the model notices order, not whether a story's events make sense.",
        ),
    ]  # fmt: skip


def _make_variety() -> list[Metric]:
    group, nearer, percent = Group.VARIETY, Direction.NEARER, Form.PERCENT
    runs = {1: "words", 2: "pairs of words", 3: "runs of three words", 4: "runs of four words"}
    return [
        *(
            Metric(
                f"distinct_{n}", group, f"Different {runs[n]}", nearer, percent,
                f"The share of different {runs[n]} among all of a story: low where it goes round in circles.",
                "Falls with length by itself, and nonsense is very varied.", cut=True,
            )
            for n in (1, 2, 3)
        ),
        *(
            Metric(
                f"repetition_{n}", group, f"Repeated {runs[n]}", nearer, percent,
                f"The share of {runs[n]} that stood earlier in the same story.",
                "Rises with length by itself; a refrain counts as much as a loop.", cut=True,
            )
            for n in (1, 2, 3, 4)
        ),
        *(
            Metric(
                f"shared_{n}", group, f"{runs[n].capitalize()} shared between stories", nearer, percent,
                f"The share of {runs[n]} that also stand in a story on another prompt: high where all are alike.",
                "Depends on how many stories are compared, and idiom is shared by all of English.", cut=True,
            )
            for n in (1, 2, 3, 4)
        ),
        Metric(
            "self_bleu", group, "Likeness of the stories to each other (self-BLEU)", nearer, Form.NUMBER,
            "How far each story is made of runs of words of the others: high where a model tells one story again and "
            "again.",
            "Depends on how many stories are compared, so it compares only within one report.", cut=True,
        ),
    ]  # fmt: skip


def _make_copying() -> list[Metric]:
    group, lower = Group.COPYING, Direction.LOWER
    return [
        Metric(
            "longest_copy", group, "Longest copied run", lower, Form.NUMBER,
            "The longest run of words of a story that stands word for word in what the judged models learned from.",
            "A model that never saw that text shows what chance and idiom give; a changed name hides a copy.", cut=True,
        ),
        Metric(
            "copied_share", group, "Copied runs of eight words", lower, Form.PERCENT,
            "The share of a story's runs of eight words that stand word for word in what the models learned from.",
            "Misses what is retold in other words.", cut=True,
        ),
    ]  # fmt: skip


def _make_prompt() -> list[Metric]:
    # A story that repeats its prompt is found more often than people's stories are: more is not better.
    group, nearer = Group.PROMPT, Direction.NEARER
    return [
        Metric(
            "similarity", group, "Words shared with the prompt", nearer, Form.NUMBER,
            "How like prompt and story are by their content words, rare ones weighing more (cosine of TF-IDF, 0 to 1).",
            "Counts words and not meanings: a story about a ship need not say ship, and one that only repeats its "
            "prompt scores best.", cut=True,
        ),
        Metric(
            "prompt_found", group, "Prompt found by the reader", nearer, Form.PERCENT,
            "How often the reading model finds the prompt that a story was written on among ten.",
            "No surer than the reading model, which favours stories that are like its own.",
        ),
        Metric(
            "prompt_gain", group, "Prompt's worth to the reader", nearer, Form.NUMBER,
            "How much likelier its own prompt makes a story to the reading model than other prompts do, in nats per "
            "token.",
            "No surer than the reading model; repeating the prompt raises it.",
        ),
    ]  # fmt: skip


def _make_flow() -> list[Metric]:
    group, nearer = Group.FLOW, Direction.NEARER
    return [
        Metric(
            "story_perplexity", group, "Perplexity of the stories to the reader", nearer, Form.NUMBER,
            "How surprised the reading model is by what was written: dull prose is far below what people write, "
            "nonsense far above.",
            "The reading model finds its own stories less surprising than those of others.",
        ),
        Metric(
            "story_order", group, "Order within the stories", nearer, Form.NUMBER,
            "How much likelier the next paragraph of a story is to the reading model in order than shuffled, in nats "
            "per token.",
            "Stories of one or two paragraphs have no order and are left out.",
        ),
    ]  # fmt: skip


def _make_form() -> list[Metric]:
    group, nearer = Group.FORM, Direction.NEARER
    return [
        Metric(
            "words", group, "Length in words", nearer, Form.COUNT,
            "How long the stories are.",
            "The length that was asked for cuts stories off; longer is not better.",
        ),
        Metric(
            "ended", group, "Ended by the model", Direction.NONE, Form.PERCENT,
            "How many stories the model brought to an end itself instead of being cut off.",
            "Says nothing of whether the end is a good one.",
        ),
        Metric(
            "grade", group, "Reading grade", nearer, Form.NUMBER,
            "How long words and sentences are, as a school grade (automated readability index).",
            "Sees lengths only: word salad can be easy to read. Made for English.", cut=True,
        ),
    ]  # fmt: skip


def _make_overlap() -> list[Metric]:
    group, none = Group.OVERLAP, Direction.NONE
    return [
        Metric(
            "bleu", group, "BLEU (weak for stories)", none, Form.NUMBER,
            "How many runs of one to four words a story shares with the one that a person wrote on the same prompt.",
            "Weak for stories: a prompt has a thousand good stories, and this knows one of them.", cut=True,
        ),
        Metric(
            "chrf", group, "chrF (weak for stories)", none, Form.NUMBER,
            "How many runs of letters a story shares with the one that a person wrote on the same prompt.",
            "Weak for stories: any two texts in English share half of their letters' runs.", cut=True,
        ),
    ]  # fmt: skip


METRICS: tuple[Metric, ...] = (
    *_make_heldout(),
    *_make_prompt(),
    *_make_flow(),
    *_make_variety(),
    *_make_copying(),
    *_make_form(),
    *_make_overlap(),
)
"""All metrics in the order of a report."""

BY_NAME = {metric.name: metric for metric in METRICS}

GROUP_TITLES = {
    Group.HELDOUT: "How well each model predicts stories that people wrote",
    Group.PROMPT: "Whether the stories keep to their prompts",
    Group.FLOW: "How the stories read to a model",
    Group.VARIETY: "Variety and repetition",
    Group.COPYING: "Copying",
    Group.FORM: "Length and form",
    Group.OVERLAP: "Overlap with the stories that people wrote",
}


def choose_metrics(names: tuple[str, ...]) -> tuple[Metric, ...]:
    """Return the metrics of these names, all without any; raise TrainerError(BAD_REQUEST) for an unknown name."""
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise TrainerError(TrainerFailure.BAD_REQUEST, detail=f"there is no metric {unknown[0][:40]}")
    return tuple(metric for metric in METRICS if not names or metric.name in names)

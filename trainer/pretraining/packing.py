"""Stories as a tokenizer of their own and two files of token ids, kept and used again by their fingerprint."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from tokenizers import ByteLevelBPETokenizer, Tokenizer

from trainer.corpus.document import CleaningReport
from trainer.corpus.tokens import END_OF_TEXT, load_tokenizer
from trainer.evaluation.figures import TextSize
from trainer.pretraining.prompts import KeyWords, compose_texts, learn_keys
from trainer.pretraining.settings import PretrainingSettings
from trainer.pretraining.texts import (
    Sides,
    Story,
    StoryFile,
    are_few,
    cut_stories,
    fingerprint_files,
    list_texts,
    read_stories,
    read_titles,
    require_enough,
    split_stories,
)
from trainer.protocol.messages import Stage
from trainer.text.ngrams import count_words
from trainer.text.normaliser import ASCII
from trainer.text.template import Template
from trainer.tuning.checkpoints import read_json, sync_file, sync_folder, write_json

PACKED_NAME = "text"
TRAINING_NAME, HELDOUT_NAME, SUMMARY_NAME = "training.bin", "heldout.bin", "summary.json"
TEMPLATE = Template()

# Another number where texts are packed in another way, so that what an older version packed isn't taken for it.
_RECIPE = 1
_LEARNED_CHARACTERS = 200_000
"""Characters of a story that the tokenizer learns from; a long novel tells it no more."""
_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Summary:
    """What was packed; sizes count tokens, end marks and prompts included, and the words and bytes of their text."""

    fingerprint: str
    vocabulary: int
    training_documents: int
    heldout_documents: int
    training: TextSize
    heldout: TextSize
    documents_read: int
    words: int
    same_story: bool = False
    changed: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PackedText:
    """A folder with tokenizer, token files and summary."""

    folder: Path
    summary: Summary

    @property
    def training(self) -> Path:
        """Where the ids that are learned from lie."""
        return self.folder / TRAINING_NAME

    @property
    def heldout(self) -> Path:
        """Where the ids that are measured with lie."""
        return self.folder / HELDOUT_NAME

    @property
    def token_type(self) -> np.dtype[np.unsignedinteger]:
        """The type of number that the ids are stored as."""
        return choose_type(self.summary.vocabulary)


def choose_type(vocabulary: int) -> np.dtype[np.unsignedinteger]:
    """Return the smallest type of number that holds every id."""
    return np.dtype("<u2") if vocabulary <= 1 << 16 else np.dtype("<u4")


def pack_folder(
    folder: Path,
    out: Path,
    settings: PretrainingSettings,
    titles: Path | None,
    *,
    enter: Callable[[Stage], None],
    check: Callable[[], None],
) -> PackedText:
    """Return the packed text of a folder: what ``out`` holds already, where it is the same, or packed anew.

    Raise TrainerError where the folder can't be read or holds too little.
    """
    enter(Stage.READING)
    files = list_texts(folder)
    named = read_titles(titles)
    fingerprint = _fingerprint(fingerprint_files(folder, files, check), named, settings)
    place = out / PACKED_NAME
    kept = _load_summary(place)
    if kept is not None and kept.fingerprint == fingerprint:
        return PackedText(place, kept)
    partial = out / f".{PACKED_NAME}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        enter(Stage.CLEANING)
        report = CleaningReport()
        stories = StoryFile(partial / "stories.jsonl")
        found = stories.write(read_stories(folder, files, named, ASCII, report, check))
        require_enough(found)
        read, same_story = len(found) + sum(report.dropped.values()), are_few(found)
        if same_story:
            whole, stories = stories, StoryFile(partial / "parts.jsonl")
            words = sum(story.words for story in found)
            found = stories.write(cut_stories(whole.read(found), words))
        sides = split_stories(found, settings.seed)
        enter(Stage.PACKING)
        summary = _pack(partial, stories, sides, settings, fingerprint, report, read, same_story, check)
        for leftover in partial.glob("*.jsonl"):
            leftover.unlink()
        write_json(partial / SUMMARY_NAME, asdict(summary))
        for path in partial.iterdir():
            sync_file(path)
        shutil.rmtree(place, ignore_errors=True)
        partial.rename(place)
        sync_folder(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return PackedText(place, summary)


def train_tokenizer(stories: Iterable[str], vocabulary: int, folder: Path) -> Tokenizer:
    """Train a byte-level BPE, GPT-2's kind; write ``vocab.json`` and ``merges.txt`` to ``folder``; id 0 ends a text."""
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(
        (story[:_LEARNED_CHARACTERS] for story in stories),
        vocab_size=vocabulary,
        min_frequency=2,
        show_progress=False,
        special_tokens=[END_OF_TEXT],
    )
    trained.save_model(str(folder))
    return load_tokenizer(folder)


def _pack(
    partial: Path,
    stories: StoryFile,
    sides: Sides,
    settings: PretrainingSettings,
    fingerprint: str,
    report: CleaningReport,
    read: int,
    same_story: bool,
    check: Callable[[], None],
) -> Summary:
    """Train the tokenizer on the training side and write both sides as ids."""
    tokenizer = train_tokenizer(_checked(stories, sides.training, check), settings.vocabulary, partial)
    vocabulary = tokenizer.get_vocab_size()
    keys = learn_keys(_checked(stories, sides.training, check))
    sizes = []
    for side, name in ((sides.training, TRAINING_NAME), (sides.heldout, HELDOUT_NAME)):
        with (partial / name).open("wb") as stream:
            texts = _compose(stories, side, keys, settings.seed)
            sizes.append(_write_ids(texts, tokenizer, choose_type(vocabulary), stream, check))
    return Summary(
        fingerprint=fingerprint,
        vocabulary=vocabulary,
        training_documents=len(sides.training),
        heldout_documents=len(sides.heldout),
        training=sizes[0],
        heldout=sizes[1],
        documents_read=read,
        words=sum(story.words for story in (*sides.training, *sides.heldout)),
        same_story=same_story,
        changed=dict(report.changed),
        dropped=dict(report.dropped),
        examples=report.examples,
    )


def _checked(stories: StoryFile, side: Iterable[Story], check: Callable[[], None]) -> Iterator[str]:
    for _, story in stories.read(side):
        check()
        yield story


def _compose(stories: StoryFile, side: tuple[Story, ...], keys: KeyWords, seed: int) -> Iterator[str]:
    """Yield the texts of one side; what chance decides for a story hangs on the story alone."""
    for place, (title, story) in zip(side, stories.read(side), strict=True):
        chance = random.Random(f"{seed} {place.fingerprint.hex()}")
        yield from compose_texts(title, story, keys, TEMPLATE, chance)


def _write_ids(
    texts: Iterable[str],
    tokenizer: Tokenizer,
    token_type: np.dtype[np.unsignedinteger],
    stream: BinaryIO,
    check: Callable[[], None],
) -> TextSize:
    """Write the ids of the texts one after the other, an end mark before the first and after each."""
    end = tokenizer.token_to_id(END_OF_TEXT)
    tokens, words, size = 1, 0, 0
    stream.write(np.array([end], token_type).tobytes())
    for batch in _gather(texts):
        check()
        for encoded in tokenizer.encode_batch(batch, add_special_tokens=False):
            ids = np.array([*encoded.ids, end], token_type)
            stream.write(ids.tobytes())
            tokens += len(ids)
        words += sum(map(count_words, batch))
        size += sum(len(text.encode("utf-8", "replace")) for text in batch)
    return TextSize(tokens=tokens, words=words, bytes=size)


def _gather(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield texts by the few millions of characters."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        batch.append(text)
        characters += len(text)
        if characters >= _AT_ONCE:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _fingerprint(content: str, titles: Mapping[str, str], settings: PretrainingSettings) -> str:
    """Return what tells one packing from another: the text, its titles and how it is packed."""
    said = [_RECIPE, content, dict(titles), settings.vocabulary, settings.seed, ASCII, TEMPLATE.as_mapping()]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _load_summary(place: Path) -> Summary | None:
    """Return what was packed there; None where nothing was, or not all of it is left."""
    record = read_json(place / SUMMARY_NAME)
    try:
        summary = Summary(
            **{**record, "training": TextSize(**record["training"]), "heldout": TextSize(**record["heldout"])}
        )
        bytes_each = choose_type(summary.vocabulary).itemsize
        for name, size in ((TRAINING_NAME, summary.training), (HELDOUT_NAME, summary.heldout)):
            if (place / name).stat().st_size != size.tokens * bytes_each:
                return None
        load_tokenizer(place)
    except (KeyError, TypeError, OSError):
        return None
    return summary

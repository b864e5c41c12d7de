"""What a job judges on: prompts with the stories of people, and what the judged models learned from."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.corpus.document import Document
from trainer.corpus.preparation import CORPUS_NAME
from trainer.corpus.readers import read_sources
from trainer.evaluation.stories import TrainingText
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.judging import MOST_PROMPTS, JudgeRequest
from trainer.text.normaliser import normalise
from trainer.tuning.checkpoints import read_json, write_json

PROMPTS_NAME = "prompts.json"

_LEARNED_SHARE = 0.5
"""A story with more of its runs of eight words in the training text was learned from."""


@dataclass(frozen=True, slots=True)
class Material:
    """Prompts with the stories of people, in the models' text form; ``story`` is empty where nobody wrote one.

    ``learned`` counts those that were left out because a judged model learned from them; ``kept_learned`` says that
    there were no others, so that they are judged on all the same.
    """

    documents: tuple[Document, ...]
    learned: int = 0
    kept_learned: bool = False


def gather_training(request: JudgeRequest, normaliser: str) -> tuple[list[str], list[str]]:
    """Return the stories that the judged models learned from, as far as known, and the names of models with any.

    A run folder of the trainer gives the training side of its corpus, anything else all that is in it. What is not
    there any more is passed over: it makes copying unknown, and no job fail.
    """
    stories: dict[str, None] = {}
    known = []
    for style in request.styles:
        found = [story for source in style.training for story in _read_training(Path(source), normaliser)]
        if found:
            known.append(style.name)
        stories.update(dict.fromkeys(found))
    return list(stories), known


def _read_training(source: Path, normaliser: str) -> list[str]:
    if (source / CORPUS_NAME).is_file():
        try:
            return [str(item["story"]) for item in read_json(source / CORPUS_NAME)["training"]]
        except (KeyError, TypeError, ValueError, OSError):
            return []
    try:
        return [tidy(document.story, normaliser) for document in read_sources((str(source),)).documents]
    except TrainerError:
        return []


def gather_material(request: JudgeRequest, folder: Path, normaliser: str, training: TrainingText | None) -> Material:
    """Return what the job judges on, the same at every start; raise TrainerError where there is nothing.

    Stories that a judged model learned from are left out: on those it would look better than it is.
    """
    kept = _load(folder / PROMPTS_NAME)
    if kept is not None:
        return kept
    documents = [Document(story=pair.story, prompt=pair.prompt) for pair in request.pairs]
    documents += read_sources(request.data).documents if request.data else []
    tidied = [
        Document(story=tidy(each.story, normaliser), prompt=" ".join(tidy(each.prompt, normaliser).split()))
        for each in documents
    ]
    usable = _take_one_a_prompt(document for document in tidied if document.prompt)
    if not usable:
        raise TrainerError(TrainerFailure.BAD_REQUEST, detail="there are no prompts")
    fresh = [each for each in usable if not _was_learned(each.story, training)]
    chosen = fresh or usable
    most = request.prompts or MOST_PROMPTS
    if len(chosen) > most:
        places = sorted(random.Random(f"{request.seed} prompts").sample(range(len(chosen)), most))
        chosen = [chosen[place] for place in places]
    material = Material(tuple(chosen), len(usable) - len(fresh), kept_learned=not fresh)
    write_json(folder / PROMPTS_NAME, _as_record(material))
    return material


def _take_one_a_prompt(documents: Iterable[Document]) -> list[Document]:
    """Return the first document of each prompt, or the first with a story: intervals take prompts to be independent."""
    found: dict[str, Document] = {}
    for document in documents:
        if not found.setdefault(document.prompt, document).story:
            found[document.prompt] = document
    return list(found.values())


def tidy(text: str, normaliser: str) -> str:
    """Return a text in the models' form without white space around it."""
    return normalise(text.replace("\0", ""), normaliser).text.strip()


def _was_learned(story: str, training: TrainingText | None) -> bool:
    return bool(story) and training is not None and training.share_copied(story) > _LEARNED_SHARE


def _as_record(material: Material) -> dict[str, Any]:
    return {
        "pairs": [{"prompt": each.prompt, "story": each.story} for each in material.documents],
        "learned": material.learned,
        "kept_learned": material.kept_learned,
    }


def _load(path: Path) -> Material | None:
    if not path.is_file():
        return None
    try:
        record = read_json(path)
        documents = tuple(Document(story=str(pair["story"]), prompt=str(pair["prompt"])) for pair in record["pairs"])
        return Material(documents, int(record["learned"]), bool(record["kept_learned"])) if documents else None
    except (KeyError, TypeError, ValueError):
        return None


Ratings = Mapping[str, Mapping[str, float]]
"""Mean ratings by criterion of each story that was rated, by the story's id."""

_MOST_RATED = 100_000
_MOST_BYTES = 50_000_000


def read_ratings(path: str) -> Ratings:
    """Return the ratings of a file: ``{"stories": {id: {criterion: mean}}}``; empty without a file's name.

    Raise TrainerError(DATA_NOT_FOUND, DATA_NOT_READABLE).
    """
    if not path:
        return {}
    file = Path(path)
    if not file.is_file():
        raise TrainerError(TrainerFailure.DATA_NOT_FOUND, path=path)
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ValueError("it is too large for a file of ratings")
        record = json.loads(file.read_text(encoding="utf-8"))
        return _check_ratings(record["stories"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        detail = f"no ratings by story: {type(error).__name__}"
        raise TrainerError(TrainerFailure.DATA_NOT_READABLE, path=path, detail=detail) from error


def _check_ratings(stories: Any) -> Ratings:
    if len(stories) > _MOST_RATED:
        raise ValueError("too many stories")
    checked: dict[str, dict[str, float]] = {}
    for story, means in stories.items():
        for criterion, mean in means.items():
            if isinstance(mean, bool) or not isinstance(mean, int | float) or not abs(mean) < 1e6:
                raise ValueError("a rating that is no number")
            checked.setdefault(str(story), {})[str(criterion)[:60]] = float(mean)
    return checked


def list_references(documents: Sequence[Document]) -> Iterable[tuple[int, Document]]:
    """Yield the number and the pair of every prompt that a person wrote a story on."""
    return ((number, document) for number, document in enumerate(documents) if document.story)


def make_place(out: Path) -> None:
    """Make the folder for a report; raise TrainerError(BAD_REQUEST) where there can be none, before hours of work."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        detail = f"no report can be written to {out}: {error.strerror or error}"
        raise TrainerError(TrainerFailure.BAD_REQUEST, detail=detail) from error

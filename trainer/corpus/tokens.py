"""The model's tokenizer without torch, and what a story with its prompt becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from trainer.corpus.document import Document
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.text.ngrams import count_words
from trainer.text.template import Template

END_OF_TEXT = "<|endoftext|>"


PROMPT_SHARE = 0.5
"""The share of the window that a prompt may take, as in writing."""


@dataclass(frozen=True, slots=True)
class TokenisedDocument:
    """Ids of what stands before the story and of the story itself; sizes of the story as normalised text.

    ``ends`` is False where the text is a passage of something longer, so that no end is to be learned.
    """

    prompt_ids: tuple[int, ...]
    story_ids: tuple[int, ...]
    words: int
    bytes: int
    ends: bool = True


def load_tokenizer(weights: Path) -> Tokenizer:
    """Return the tokenizer of a GPT-2 folder; raise TrainerError(BASE_NOT_USABLE).

    Folders without ``tokenizer.json`` have GPT-2's first form: ``vocab.json`` and ``merges.txt``.
    """
    try:
        if (weights / "tokenizer.json").is_file():
            tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
        else:
            tokenizer = Tokenizer(models.BPE.from_file(str(weights / "vocab.json"), str(weights / "merges.txt")))
            tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
            tokenizer.decoder = decoders.ByteLevel()
            tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
            tokenizer.add_special_tokens([END_OF_TEXT])
    except Exception as error:  # tokenizers raises bare Exceptions
        raise TrainerError(TrainerFailure.BASE_NOT_USABLE, path=str(weights), detail=f"tokenizer: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def tokenise_documents(
    documents: Sequence[Document], tokenizer: Tokenizer, template: Template, *, end_token: int, positions: int
) -> list[TokenisedDocument]:
    """Return the documents as ids: the end token and what the template makes of the prompt, then the story.

    The end token stands first, as it does between the texts GPT-2 was trained on, and as in writing and scoring. A
    prompt that would take more than half of ``positions`` loses its last words; the template stays whole. The text
    that a passage goes on from stands behind the prompt; of both together it loses its beginning.
    """
    room = int(positions * PROMPT_SHARE) - 1
    encoded_heads = [_encode_before(document, tokenizer, template, room) for document in documents]
    encoded_stories = tokenizer.encode_batch([document.story for document in documents], add_special_tokens=False)
    return [
        TokenisedDocument(
            prompt_ids=(end_token, *head),
            story_ids=tuple(story.ids),
            words=count_words(document.story),
            bytes=len(document.story.encode("utf-8", "replace")),
            ends=document.before is None,
        )
        for document, head, story in zip(documents, encoded_heads, encoded_stories, strict=True)
    ]


def _encode_before(document: Document, tokenizer: Tokenizer, template: Template, room: int) -> list[int]:
    """Return the ids of all that stands before a story, in at most ``room`` tokens."""
    if not document.before:
        return encode_head(document.prompt, tokenizer, template, room)
    head = encode_head(document.prompt, tokenizer, template, room // 2)
    before: list[int] = tokenizer.encode(document.before, add_special_tokens=False).ids
    return head + before[max(0, len(before) - (room - len(head))) :]


def encode_head(prompt: str, tokenizer: Tokenizer, template: Template, room: int) -> list[int]:
    """Return the ids of the rendered prompt, or of as many of its first words as go into ``room`` tokens."""
    ids: list[int] = tokenizer.encode(template.render(prompt), add_special_tokens=False).ids
    words = prompt.split()
    while len(ids) > room and words:
        # Words are rarely less than a token, so this takes few rounds; each drops one word at least.
        words = words[: min(len(words) - 1, max(0, len(words) * room // len(ids)))]
        ids = tokenizer.encode(template.render(" ".join(words)), add_special_tokens=False).ids
    return ids

"""What the writer liked crosses to the trainer as one file."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from storydesk.domain.characters import mend_text
from storydesk.domain.feedback import Feedback
from storydesk.services.atomic_file import make_folder, write_atomically
from trainer.protocol.feedback import FeedbackExample, FeedbackPair, FeedbackRecord, encode_feedback


def write_feedback(feedback: Feedback, path: Path, *, overwrite: bool = True) -> int:
    """Write what was not left out, held-out records marked; return how many records there are.

    Raise StorydeskError(FILE_EXISTS, DISK_FULL, NOT_WRITABLE).
    """
    records: list[FeedbackRecord] = [
        FeedbackPair(each.prompt, each.before, each.chosen, each.rejected, each.weight, each.origin, each.held_out)
        for each in feedback.pairs
        if not each.left_out
    ]
    records += [
        FeedbackExample(each.prompt, each.before, each.text, each.weight, each.origin, each.held_out)
        for each in feedback.examples
        if not each.left_out
    ]
    make_folder(path.parent)

    def write(stream: BinaryIO) -> None:
        for record in records:
            stream.write(mend_text(encode_feedback(record)).encode("utf-8") + b"\n")

    write_atomically(path, write, overwrite=overwrite)
    return len(records)

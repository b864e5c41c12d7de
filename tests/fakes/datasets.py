"""Datasets in memory: every pair, edit and finding by the same rules, without files or a trainer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from storydesk.domain.dataset import (
    DatasetCard,
    DatasetEdit,
    DatasetFinding,
    DatasetProgress,
    DatasetVersion,
    DatasetView,
    DataSource,
    EditKind,
    FindingExample,
    FindingKind,
    Pair,
    PairCard,
    PromptOrigin,
    Remedy,
    SplitCheck,
)
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.manuscript import count_words
from storydesk.services.dataset_ports import DataJob, Gathering, ReportProgress

TAG = "<b>"


@dataclass
class _Dataset:
    card: DatasetCard
    gathering: Gathering
    pairs: list[tuple[str, str, str]] = field(default_factory=list)  # title, prompt, story
    edits: list[DatasetEdit] = field(default_factory=list)
    findings: list[DatasetFinding] = field(default_factory=list)
    versions: list[DatasetVersion] = field(default_factory=list)
    examined: int = 0
    remedies: dict[str, Remedy] = field(default_factory=dict)  # of every finding there ever was: acts hold on


class FakeDatasetStore:
    """Finds ``stories`` in whatever it is given, besides what was gathered; ``<b>`` is markup.

    ``failure`` is what the next job fails with.
    """

    def __init__(self, folder: Path = Path("/datasets")) -> None:
        self.folder = folder
        self.datasets: dict[str, _Dataset] = {}
        self.stories: list[tuple[str, str, str]] = []
        self.unread: list[Failure] = []
        self.jobs: list[tuple[str, DataJob]] = []
        self.failure: StorydeskError | None = None

    def create(self, name: str, sources: Sequence[DataSource], gathering: Gathering) -> DatasetCard:
        key = f"dataset-{len(self.datasets) + 1}"
        card = DatasetCard(key, name, "2026-01-01T00:00:00+00:00", tuple(sources), self.folder / key)
        self.datasets[key] = _Dataset(card, gathering)
        return card

    def gather_again(self, dataset: str, sources: Sequence[DataSource], gathering: Gathering) -> DatasetCard:
        each = self._find(dataset)
        each.card = dataclasses.replace(each.card, sources=tuple(sources), is_read=False)
        each.gathering = gathering
        return each.card

    def list_datasets(self) -> Sequence[DatasetCard]:
        return [each.card for each in reversed(self.datasets.values())]

    def find(self, dataset: str) -> DatasetCard:
        return self._find(dataset).card

    def work(self, dataset: str, job: DataJob, report: ReportProgress) -> str:
        each = self._find(dataset)
        self.jobs.append((dataset, job))
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        for step in ("reading", "examining") if job is DataJob.READ else (str(job).removesuffix("e") + "ing",):
            report(DatasetProgress(step, 0, 2, "The Bell.txt"))
            report(DatasetProgress(step, 1, 2, "The Oak.txt"))
        if job is DataJob.READ:
            each.pairs = [(pair.title, pair.prompt, pair.story) for pair in each.gathering.pairs]
            each.pairs += self.stories if each.gathering.data else []
            each.card = dataclasses.replace(each.card, is_read=True)
        if job is not DataJob.KEEP:
            each.findings, each.examined = self._examine(each), len(each.edits)
            each.remedies.update((found.id, found.remedy) for found in each.findings)
            return ""
        view = self.load(dataset)
        fingerprint = f"{hash(tuple((pair.id, pair.prompt, pair.words) for pair in view.kept)) & 0xFFFFFFFF:08x}" * 8
        names = tuple(source.name for source in each.card.sources)
        folder = each.card.folder / "versions" / fingerprint[:16]
        moment = f"2026-01-02T00:00:{len(each.versions):02}+00:00"
        version = DatasetVersion(fingerprint, moment, len(view.kept), view.words, view.edits, names, folder)
        each.versions = [version, *(old for old in each.versions if old.fingerprint != fingerprint)]
        return fingerprint

    def load(self, dataset: str) -> DatasetView:
        each = self._find(dataset)
        if not each.card.is_read:
            raise StorydeskError(FailureCode.DATASET_NOT_READ, name=each.card.name)
        pairs = tuple(self._read_all(each).values())
        cards = tuple(pair.card for pair in pairs)
        open_pairs = {pair.card.id for pair in pairs if not pair.card.left_out}
        findings = tuple(
            dataclasses.replace(found, pairs=tuple(key for key in found.pairs if key in open_pairs))
            if found.remedy is Remedy.LEAVE_OUT
            else dataclasses.replace(
                found,
                pairs=tuple(p.card.id for p in pairs if p.card.id in open_pairs & {*found.pairs} and TAG in p.story),
            )
            for found in each.findings
        )
        holding = _holding(each.edits)
        return DatasetView(
            each.card,
            cards,
            findings,
            (*each.gathering.unread, *self.unread),
            SplitCheck(len(open_pairs), 0, 0),
            holding[-1].kind if holding else None,
            len(each.edits),
            len(each.edits) != each.examined,
            {card.id: place for place, card in enumerate(cards)},
        )

    def read_pair(self, dataset: str, pair: str) -> Pair:
        found = self._read_all(self._find(dataset)).get(pair)
        if found is None:
            raise StorydeskError(FailureCode.PAIR_NOT_FOUND, name=pair)
        return found

    def edit(self, dataset: str, edit: DatasetEdit) -> DatasetView:
        each = self._find(dataset)
        if edit.kind is EditKind.FIX:
            found = next((found for found in self.load(dataset).findings if found.id == edit.finding), None)
            if found is None:
                raise StorydeskError(FailureCode.FINDING_NOT_FOUND, name=edit.finding)
            edit = dataclasses.replace(edit, pairs=edit.pairs or found.pairs)
        for pair in edit.pairs:
            self.read_pair(dataset, pair)
        if edit.kind is not EditKind.UNDO or _holding(each.edits):
            each.edits.append(edit)
        return self.load(dataset)

    def list_versions(self, dataset: str) -> Sequence[DatasetVersion]:
        return self._find(dataset).versions

    def delete_version(self, dataset: str, fingerprint: str) -> None:
        each = self._find(dataset)
        each.versions = [version for version in each.versions if version.fingerprint != fingerprint]

    def rename(self, dataset: str, name: str) -> DatasetCard:
        each = self._find(dataset)
        each.card = dataclasses.replace(each.card, name=name)
        return each.card

    def delete(self, dataset: str) -> None:
        del self.datasets[self._find(dataset).card.id]

    def _find(self, dataset: str) -> _Dataset:
        for each in self.datasets.values():
            if dataset in (each.card.id, each.card.name):
                return each
        raise StorydeskError(FailureCode.DATASET_NOT_FOUND, name=dataset)

    def _read_all(self, each: _Dataset) -> dict[str, Pair]:
        pairs = {}
        for number, (title, prompt, story) in enumerate(each.pairs, start=1):
            origin = PromptOrigin.COLUMN if prompt and prompt != title else PromptOrigin.TITLE
            card = PairCard(f"p{number}", title, prompt, story[:200], count_words(story), "The Bell.txt", origin)
            pairs[card.id] = Pair(card, story, prompt, story)
        for edit in _holding(each.edits):
            for key in edit.pairs:
                pairs[key] = _apply(pairs[key], edit, each.remedies.get(edit.finding))
        return pairs

    def _examine(self, each: _Dataset) -> list[DatasetFinding]:
        kept = [pair for pair in self._read_all(each).values() if not pair.card.left_out]
        marked = [pair for pair in kept if TAG in pair.story]
        firsts: dict[str, Pair] = {}
        copies = []
        for pair in kept:
            first = firsts.setdefault(pair.story.casefold(), pair)
            if first is not pair:
                copies.append((pair, first))
        findings = []
        if marked:
            examples = tuple(
                FindingExample(pair.card.id, pair.story[:80], pair.story[:80].replace(TAG, "")) for pair in marked[:3]
            )
            keys = tuple(pair.card.id for pair in marked)
            findings.append(DatasetFinding("markup", FindingKind.MARKUP, Remedy.MEND, keys, len(keys), examples))
        if copies:
            shown = tuple(FindingExample(pair.card.id, pair.story[:80], "", first.card.id) for pair, first in copies)
            keys = tuple(pair.card.id for pair, _ in copies)
            findings.append(
                DatasetFinding("exact_copies", FindingKind.EXACT_COPIES, Remedy.LEAVE_OUT, keys, len(keys), shown[:3])
            )
        return findings


def _holding(edits: Sequence[DatasetEdit]) -> list[DatasetEdit]:
    """Return the acts that nothing has undone."""
    holding: list[DatasetEdit] = []
    for edit in edits:
        if edit.kind is not EditKind.UNDO:
            holding.append(edit)
        elif holding:
            holding.pop()
    return holding


def _apply(pair: Pair, edit: DatasetEdit, remedy: Remedy | None) -> Pair:
    """Return a pair after one act."""
    card, story, prompt = pair.card, pair.story, pair.card.prompt
    left_out, edited = card.left_out, card.edited
    origin = card.prompt_from
    match edit.kind:
        case EditKind.CHANGE:
            origin = PromptOrigin.WRITER if edit.prompt != prompt else origin
            story, prompt, edited = edit.story, edit.prompt, True
        case EditKind.LEAVE_OUT:
            left_out = True
        case EditKind.TAKE_BACK:
            left_out = False
        case EditKind.FIX if remedy is Remedy.LEAVE_OUT:
            left_out = True
        case _:
            story, edited = story.replace(TAG, ""), True
    changed = dataclasses.replace(
        card,
        prompt=prompt,
        opening=story[:200],
        words=count_words(story),
        prompt_from=origin,
        left_out=left_out,
        edited=edited,
    )
    return dataclasses.replace(pair, card=changed, story=story)

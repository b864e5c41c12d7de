"""What the data doctor found, a card each: how many, why it matters, examples to go to, and a fix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from storydesk.bridge.pair_item_model import shorten
from storydesk.domain.dataset import DatasetFinding, DatasetView, FindingExample, PairCard
from storydesk.ui.theme import SPACE_M, SPACE_S, SPACE_XS, FlowLayout, VerticalArea, WrapButton, make_label, set_role
from storydesk.ui.tuning.dataset_words import say_finding, say_fix, say_reason

SHOWN_EXAMPLES: Final = 3
EXAMPLE_LETTERS: Final = 90

FindCard = Callable[[str], PairCard | None]


class FindingCard(QFrame):
    """One finding. GUI thread."""

    fix_wanted = Signal(str)
    pair_wanted = Signal(str)
    all_wanted = Signal(str)

    def __init__(self, finding: DatasetFinding, find_card: FindCard, parent: QWidget | None = None) -> None:
        """Show a finding; ``find_card`` returns the pair of an id."""
        super().__init__(parent)
        self.finding = finding
        self.setProperty("role", "card")
        said = say_finding(finding)
        self.heading = make_label(said, "heading")
        self.setAccessibleName(said)
        self.examples: list[QPushButton] = []
        self.fix_button = WrapButton(say_fix(finding))
        self.fix_button.setAccessibleName(f"{said}. {say_fix(finding)}")
        self.fix_button.clicked.connect(lambda: self.fix_wanted.emit(finding.id))
        self.all_button = WrapButton(self.tr("Show them"))
        set_role(self.all_button, "flat")
        self.all_button.setAccessibleName(self.tr("Show them: {finding}").format(finding=said))
        self.all_button.clicked.connect(lambda: self.all_wanted.emit(finding.id))
        buttons = FlowLayout()
        buttons.add(self.fix_button, self.all_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        column.setSpacing(SPACE_S)
        column.addWidget(self.heading)
        column.addWidget(make_label(say_reason(finding), "muted"))
        shown = QVBoxLayout()
        shown.setSpacing(SPACE_XS)
        for example in finding.examples[:SHOWN_EXAMPLES]:
            shown.addWidget(self._make_example(example, find_card))
        column.addLayout(shown)
        column.addLayout(buttons)

    def _make_example(self, example: FindingExample, find_card: FindCard) -> QPushButton:
        """Return a button that says a passage and goes to its pair."""
        card, other = find_card(example.pair), find_card(example.other) if example.other else None
        before = shorten(example.before, EXAMPLE_LETTERS) or (_name(card) if card is not None else "")
        said = self.tr("“{passage}”").format(passage=before)
        if example.after:
            said = self.tr("“{before}” becomes “{after}”").format(
                before=before, after=shorten(example.after, EXAMPLE_LETTERS)
            )
        elif other is not None and card is not None:
            said = self.tr("“{pair}”, beside “{other}”").format(pair=_name(card), other=_name(other))
        button = WrapButton(said.replace("&", "&&"), leading=True)
        set_role(button, "flat")
        button.setAccessibleName(self.tr("Go to: {example}").format(example=said))
        button.setToolTip(self.tr("Goes to this pair"))
        button.clicked.connect(lambda: self.pair_wanted.emit(example.pair))
        self.examples.append(button)
        return button


class DoctorList(QWidget):
    """The cards under each other, or a word that all is well. GUI thread."""

    fix_wanted = Signal(str)
    """A finding's id."""
    pair_wanted = Signal(str)
    all_wanted = Signal(str)
    """The finding whose pairs are to be listed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a finding."""
        super().__init__(parent)
        self.cards: list[FindingCard] = []
        self._shown: tuple[DatasetFinding, ...] | None = None
        self._is_examining = False
        self.well = make_label("", "")
        self.again = make_label(self.tr("Looking again after your changes…"), "muted")
        self.again.hide()
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, SPACE_S, 0)
        self._column.setSpacing(SPACE_M)
        self._column.addWidget(self.again)
        self._column.addWidget(self.well)
        self._column.addStretch(1)
        self.area = VerticalArea(inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.area)

    @property
    def open_findings(self) -> int:
        """How many findings there is something to do about."""
        return len(self.cards)

    def show_view(self, view: DatasetView | None) -> None:
        """Show what was found and is not settled; cards that are the same stay as they are."""
        findings = tuple(each for each in view.findings if not each.is_settled) if view is not None else ()
        if findings != self._shown:
            self._shown = findings
            had_focus = any(card.isAncestorOf(self.focusWidget()) for card in self.cards if self.focusWidget())
            self._fill(findings, view)
            if had_focus:
                (self.cards[0].fix_button if self.cards else self.area).setFocus()
        self._say_well(view)

    def show_examining(self, examining: bool) -> None:
        """Say whether the doctor is looking again."""
        self.again.setVisible(examining)

    def _fill(self, findings: tuple[DatasetFinding, ...], view: DatasetView | None) -> None:
        for card in self.cards:
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()

        def find_card(pair: str) -> PairCard | None:
            place = view.places.get(pair) if view is not None else None
            return view.pairs[place] if view is not None and place is not None else None

        self.cards = [FindingCard(finding, find_card) for finding in findings]
        for place, card in enumerate(self.cards):
            card.fix_wanted.connect(self.fix_wanted)
            card.pair_wanted.connect(self.pair_wanted)
            card.all_wanted.connect(self.all_wanted)
            self._column.insertWidget(2 + place, card)
            card.show()  # now, so that the keys can go on where they were

    def _say_well(self, view: DatasetView | None) -> None:
        if view is None or not view.pairs:
            said = self.tr("There is nothing to look at yet.")
        elif any(finding.is_settled for finding in view.findings):
            said = self.tr("All that was found is settled. Undo takes back what you don't like.")
        else:
            said = self.tr(
                "Nothing wrong was found: no copies, no broken letters, no marks that don't belong, nothing in another "
                "language. Your stories can be learned from as they are."
            )
        self.well.setText(said)
        self.well.setVisible(not self.cards)


def _name(card: PairCard) -> str:
    return shorten(card.title or card.prompt or card.opening, EXAMPLE_LETTERS // 2)

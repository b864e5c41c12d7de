"""A model as a card: one on the shelf, and one that could be fetched."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from storydesk.domain.style_model import HubModel, StyleModel
from storydesk.ui.figures import say_change, say_perplexity, say_size
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XS, icon, make_label


class ModelCard(QFrame):
    """An installed model with Use and Remove. GUI thread."""

    use_wanted = Signal(str)
    removal_wanted = Signal(str)
    """Only after Remove was pressed twice."""

    def __init__(self, model: StyleModel, *, in_use: bool, parent: QWidget | None = None) -> None:
        """Show a model; the one in use and the built-in ones can't be removed."""
        super().__init__(parent)
        self.name = model.name
        self.setProperty("role", "card")
        self.setAccessibleName(model.name)
        head = QHBoxLayout()
        head.setSpacing(SPACE_S)
        head.addWidget(make_label(model.name, "heading"), 1)
        if in_use:
            head.addWidget(make_label(self.tr("In use"), "chip-accent", wrap=False), 0, Qt.AlignmentFlag.AlignTop)
        texts = QVBoxLayout()
        texts.setSpacing(SPACE_XS)
        texts.addLayout(head)
        for line in self._describe(model):
            texts.addWidget(make_label(line, "muted"))
        texts.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_L, SPACE_M, SPACE_L, SPACE_M)
        layout.setSpacing(SPACE_M)
        layout.addLayout(texts, 1)
        layout.addLayout(self._build_buttons(model, in_use=in_use))

    def _describe(self, model: StyleModel) -> list[str]:
        if model.lineage:
            made = self.tr("Your own voice, tuned from {chain}").format(chain=" ← ".join(reversed(model.lineage)))
        elif model.built_in:
            made = self.tr("Comes with Storydesk, small and quick")
        else:
            made = self.tr("From {origin}").format(origin=model.origin)
        lines = [made]
        before, after = (model.heldout.get(f"perplexity_{moment}", 0.0) for moment in ("before", "after"))
        if before > 0 and after > 0:
            figures = {"before": say_perplexity(before), "after": say_perplexity(after)}
            lines.append(say_change(before, after))
            lines.append(self.tr("Perplexity {before} → {after}").format(**figures))
        about = [say_size(model.bytes)] if model.bytes else []
        about.append(self.tr("licence {licence}").format(licence=model.licence or self.tr("not stated")))
        return [*lines, " · ".join(about)]

    def _build_buttons(self, model: StyleModel, *, in_use: bool) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(SPACE_XS)
        self.use_button = QPushButton(self.tr("Use"))
        self.use_button.setAccessibleName(self.tr("Use {name}").format(name=model.name))
        self.use_button.clicked.connect(lambda: self.use_wanted.emit(self.name))
        self.use_button.setVisible(not in_use)
        self.remove_button = QPushButton(icon("trash"), self.tr("Remove"))
        self.remove_button.setProperty("role", "flat")
        self.remove_button.setAccessibleName(self.tr("Remove {name}").format(name=model.name))
        self.remove_button.clicked.connect(self._on_remove_clicked)
        self.remove_button.setVisible(not in_use and not model.built_in)
        for button in (self.use_button, self.remove_button):
            button.setAutoDefault(False)
            column.addWidget(button)
        column.addStretch()
        self._sure = False
        return column

    def _on_remove_clicked(self) -> None:
        """Ask on the button itself: a second press is the answer."""
        if self._sure:
            self.removal_wanted.emit(self.name)
            return
        self._sure = True
        self.remove_button.setText(self.tr("Remove for good?"))
        self.remove_button.setAccessibleName(self.tr("Remove {name} for good?").format(name=self.name))


class HubCard(QFrame):
    """A model that can be fetched. GUI thread."""

    fetch_wanted = Signal(str)

    def __init__(self, offer: HubModel, *, installed: bool, parent: QWidget | None = None) -> None:
        """Show what would be fetched, how large it is, and under which licence."""
        super().__init__(parent)
        self.id = offer.id
        self.setProperty("role", "card")
        self.setAccessibleName(offer.id)
        size = say_size(offer.weight_bytes)
        about = self.tr("{size} to fetch · licence {licence}").format(size=size, licence=offer.licence)
        texts = QVBoxLayout()
        texts.setSpacing(SPACE_XS)
        texts.addWidget(make_label(offer.id, "heading"))
        texts.addWidget(make_label(offer.repository, "muted"))
        texts.addWidget(make_label(about, "muted"))
        texts.addStretch()
        self.fetch_button = QPushButton(icon("download-simple"), self.tr("Fetch"))
        self.fetch_button.setAccessibleName(self.tr("Fetch {name}").format(name=offer.id))
        self.fetch_button.setAutoDefault(False)
        self.fetch_button.clicked.connect(lambda: self.fetch_wanted.emit(self.id))
        self.fetch_button.setVisible(not installed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_L, SPACE_M, SPACE_L, SPACE_M)
        layout.addLayout(texts, 1)
        if installed:
            layout.addWidget(make_label(self.tr("On your shelf"), "chip", wrap=False), 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.fetch_button, 0, Qt.AlignmentFlag.AlignTop)

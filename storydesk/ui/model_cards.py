"""A model as a card: one on the shelf, and one that could be fetched."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from storydesk.domain.model_shelf import ExportForm
from storydesk.domain.style_model import HubModel, StyleModel
from storydesk.ui.figures import say_change, say_perplexity, say_size
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XS, icon, make_label


class ModelCard(QFrame):
    """An installed model with Use and a menu of all else. GUI thread.

    With the focus on it: Return uses it, F2 renames, Delete deletes, Space shows its details, the arrows go on.
    """

    use_wanted = Signal(str)
    rename_wanted = Signal(str, str)
    """The name, and the one that it is to have."""
    delete_wanted = Signal(str, str)
    """The name, and what to use instead where it is the one in use."""
    details_wanted = Signal(str)
    compare_wanted = Signal(str)
    export_wanted = Signal(str, object)
    """The name and an ExportForm."""
    step_wanted = Signal(str, int)
    """From this card up or down to the next: -1 or 1."""

    def __init__(
        self, model: StyleModel, *, in_use: bool, others: Sequence[str] = (), parent: QWidget | None = None
    ) -> None:
        """Show a model; the one in use can go only for one of the ``others``, the built-in one not at all."""
        super().__init__(parent)
        self.name = model.name
        self.in_use = in_use
        self.built_in = model.built_in
        self._others = others
        self._just_named = False
        self.setProperty("role", "card")
        self.setAccessibleName(self.tr("{name}, in use").format(name=model.name) if in_use else model.name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._heading = make_label(model.name, "heading")
        self.field = QLineEdit(model.name)
        self.field.setAccessibleName(self.tr("New name of {name}").format(name=model.name))
        self.field.setMaxLength(60)
        self.field.hide()
        self.field.returnPressed.connect(self._on_named)
        self.field.editingFinished.connect(self.end_rename)
        head = QHBoxLayout()
        head.setSpacing(SPACE_S)
        head.addWidget(self._heading, 1)
        head.addWidget(self.field, 1)
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
        layout.addLayout(self._build_buttons(model))

    def begin_rename(self) -> None:
        """Let the writer type another name in the card itself."""
        if not self.built_in:
            self._heading.hide()
            self._just_named = False
            self.field.setText(self.name)
            self.field.show()
            self.field.setFocus()
            self.field.selectAll()

    def end_rename(self) -> None:
        """Show the name again."""
        if self.field.isVisible():
            self.field.hide()
            self._heading.show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what a key asks for."""
        key = event.key()
        if key == Qt.Key.Key_Escape and self.field.isVisible():
            self.end_rename()
            self.setFocus()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            # Return in the field comes here as well, after the field has gone.
            if not self._just_named and not self.in_use:
                self.use_wanted.emit(self.name)
            self._just_named = False
        elif key == Qt.Key.Key_F2:
            self.begin_rename()
        elif key == Qt.Key.Key_Space:
            self.details_wanted.emit(self.name)
        elif key == Qt.Key.Key_Delete and not self.built_in:
            self._on_delete_key()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.step_wanted.emit(self.name, -1 if key == Qt.Key.Key_Up else 1)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu where the writer pressed, or at the card for the menu key."""
        self.menu.popup(event.globalPos())

    def _on_named(self) -> None:
        wanted = self.field.text().strip()
        self._just_named = True
        self.end_rename()
        self.setFocus()
        if wanted and wanted != self.name:
            self.rename_wanted.emit(self.name, wanted)

    def _on_delete_key(self) -> None:
        if not self.in_use:
            self.delete_wanted.emit(self.name, "")
        elif self.instead_menu is not None:
            self.instead_menu.popup(self.mapToGlobal(self.rect().center()))

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

    def _build_buttons(self, model: StyleModel) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(SPACE_XS)
        self.use_button = QPushButton(self.tr("Use"))
        self.use_button.setAccessibleName(self.tr("Use {name}").format(name=model.name))
        self.use_button.clicked.connect(lambda: self.use_wanted.emit(self.name))
        self.use_button.setVisible(not self.in_use)
        self.more_button = QPushButton(icon("dots-three"), self.tr("More"))
        self.more_button.setProperty("role", "flat")
        self.more_button.setAccessibleName(self.tr("More about {name}").format(name=model.name))
        self.menu = self._build_menu()
        self.more_button.setMenu(self.menu)
        for button in (self.use_button, self.more_button):
            button.setAutoDefault(False)
            column.addWidget(button)
        column.addStretch()
        return column

    def _build_menu(self) -> QMenu:
        menu = QMenu(self)
        self._add(menu, self.tr("Details"), lambda: self.details_wanted.emit(self.name), "Space")
        self._add(menu, self.tr("Compare…"), lambda: self.compare_wanted.emit(self.name))
        exports = menu.addMenu(self.tr("Export"))
        self._add_export(exports, self.tr("For another Storydesk…"), ExportForm.STORYDESK)
        self._add_export(exports, self.tr("As a Hugging Face folder…"), ExportForm.HUGGING_FACE)
        self._add_export(exports, self.tr("As an ONNX graph for other tools…"), ExportForm.ONNX)
        self.instead_menu: QMenu | None = None
        if not self.built_in:
            menu.addSeparator()
            self._add(menu, self.tr("Rename"), self.begin_rename, "F2")
            if not self.in_use:
                self._add(menu, self.tr("Delete"), lambda: self.delete_wanted.emit(self.name, ""), "Del")
            elif self._others:
                self.instead_menu = menu.addMenu(self.tr("Delete, and use instead"))
                for other in self._others:
                    self._add_instead(self.instead_menu, other)
        return menu

    def _add(self, menu: QMenu, words: str, slot: Callable[[], object], key: str = "") -> None:
        # The key stands beside the words only: the card itself hears it, in whichever card the focus is.
        action = menu.addAction(f"{words}\t{key}" if key else words)
        action.triggered.connect(lambda: slot())

    def _add_export(self, menu: QMenu, words: str, form: ExportForm) -> None:
        self._add(menu, words, lambda: self.export_wanted.emit(self.name, form))

    def _add_instead(self, menu: QMenu, other: str) -> None:
        self._add(menu, other.replace("&", "&&"), lambda: self.delete_wanted.emit(self.name, other))


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

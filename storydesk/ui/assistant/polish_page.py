"""Polish the story: every correction as a diff by sentence, to be taken or left before anything changes."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.polish_controller import PolishReady
from storydesk.domain.polish_plan import Hunk, PolishPlan
from storydesk.domain.polishing import Category
from storydesk.domain.readability import Readability
from storydesk.ui.choice_delegate import ChoiceDelegate, Index, escape
from storydesk.ui.sentences import say_category
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_XL, current_tokens, icon, make_label, set_role

_HTML = Qt.ItemDataRole.UserRole


class HunkItemModel(QAbstractListModel):
    """The sentences of a plan, each with a box. GUI thread."""

    plan_changed = Signal()

    def __init__(self, plan: PolishPlan, parent: QWidget | None = None) -> None:
        """Show a plan."""
        super().__init__(parent)
        self.plan = plan

    def rowCount(self, parent: Index | None = None) -> int:
        """Return how many sentences there are."""
        return 0 if parent is not None and parent.isValid() else len(self.plan.hunks)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the sentence before and after in words, as markup, or whether it is accepted."""
        hunk = self.plan.hunks[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{self.plan.before(hunk)} → {self.plan.after(hunk, everything=True)}"
        if role == Qt.ItemDataRole.CheckStateRole:
            taken = [self.plan.edits[index].accepted for index in hunk.edits]
            if all(taken):
                return Qt.CheckState.Checked
            return Qt.CheckState.PartiallyChecked if any(taken) else Qt.CheckState.Unchecked
        if role == _HTML:
            return _as_html(self.plan, hunk)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let every sentence be chosen and its box be changed."""
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Accept or reject a sentence."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        accepted = Qt.CheckState(value) is Qt.CheckState.Checked
        self.set_plan(self.plan.choose_hunk(self.plan.hunks[index.row()], accepted))
        return True

    def set_plan(self, plan: PolishPlan) -> None:
        """Show the same plan with another choice."""
        self.plan = plan
        if plan.hunks:
            self.dataChanged.emit(self.index(0), self.index(len(plan.hunks) - 1))
        self.plan_changed.emit()


def _as_html(plan: PolishPlan, hunk: Hunk) -> str:
    """Return a sentence with what goes struck out and what comes underlined: never by colour alone."""
    tokens = current_tokens()
    pieces: list[str] = []
    position = hunk.start
    kinds: list[Category] = []
    for index in hunk.edits:
        edit = plan.edits[index]
        finding = edit.finding
        kinds.append(finding.category)
        gone, come = plan.text[finding.start : finding.end], edit.replacement
        pieces += [
            escape(plan.text[position : finding.start]),
            f'<s style="color:{tokens.problem if edit.accepted else tokens.muted}">{escape(gone)}</s>' if gone else "",
            f'<b style="color:{tokens.accent if edit.accepted else tokens.muted}"><u>{escape(come)}</u></b>',
        ]
        position = finding.end
    pieces.append(escape(plan.text[position : hunk.end]))
    words = ", ".join(say_category(kind) for kind in dict.fromkeys(kinds))
    return f'{"".join(pieces)}<br><span style="color:{tokens.muted}">{escape(words)}</span>'


class HunkDelegate(ChoiceDelegate):
    """Paints a sentence with its changes. GUI thread."""

    def list_markup(self, index: Index) -> list[str]:
        """Return the sentence."""
        return [str(index.data(_HTML))]


class PolishPage(QWidget):
    """Shows one plan and hands back the choice. GUI thread."""

    apply_wanted = Signal(object)
    """The PolishPlan as the writer left it."""
    leave_wanted = Signal()

    def __init__(self, ready: PolishReady, parent: QWidget | None = None) -> None:
        """Show what could be mended; everything is accepted at first."""
        super().__init__(parent)
        set_role(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.hunks = HunkItemModel(ready.plan, self)
        self.list = QListView(self)
        self.list.setModel(self.hunks)
        self.list.setItemDelegate(HunkDelegate(self.list))
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setLayoutMode(QListView.LayoutMode.Batched)  # a novel has thousands
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setAccessibleName(self.tr("Sentences with corrections"))
        self.summary = make_label(role="muted")
        self.apply_button = QPushButton(icon("check", "on_accent"), "", self)
        set_role(self.apply_button, "primary")
        self.apply_button.clicked.connect(lambda: self.apply_wanted.emit(self.hunks.plan))
        self.categories = [self._make_category(category) for category in ready.plan.categories]
        self._build(ready)
        for keys, slot in (("Esc", self.leave_wanted.emit), ("Ctrl+Return", self.apply_button.click)):
            QShortcut(
                QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut
            ).activated.connect(slot)
        self.hunks.plan_changed.connect(self._show_choice)
        if ready.plan.hunks:
            self.list.setCurrentIndex(self.hunks.index(0))
        self._show_choice()
        self.setFocusProxy(self.list)

    def _build(self, ready: PolishReady) -> None:
        back = QPushButton(icon("arrow-left"), self.tr("Back to writing"))
        set_role(back, "flat")
        back.clicked.connect(self.leave_wanted)
        everything, nothing = QPushButton(self.tr("Take all")), QPushButton(self.tr("Leave all"))
        everything.clicked.connect(lambda: self.hunks.set_plan(self.hunks.plan.choose(True)))
        nothing.clicked.connect(lambda: self.hunks.set_plan(self.hunks.plan.choose(False)))
        head = QHBoxLayout()
        head.addWidget(make_label(self.tr("Polish the story"), "title"), 1)
        head.addWidget(back)
        kinds = QHBoxLayout()
        kinds.setSpacing(SPACE_M)
        for box in self.categories:
            kinds.addWidget(box)
        kinds.addStretch(1)
        kinds.addWidget(everything)
        kinds.addWidget(nothing)
        kinds.addWidget(self.apply_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_L)
        column.setSpacing(SPACE_M)
        column.addLayout(head)
        column.addWidget(self.summary)
        if ready.before is not None and ready.after is not None:
            column.addLayout(self._build_figures(ready.before, ready.after))
        column.addLayout(kinds)
        column.addWidget(self.list, 1)
        note = self.tr(
            "Space takes or leaves a sentence. Nothing changes before you say so, and one undo takes it back."
        )
        column.addWidget(make_label(note, "muted"))

    def _build_figures(self, before: Readability, after: Readability) -> QGridLayout:
        """Return how the text reads now and with everything taken."""
        rows = (
            (self.tr("Reading ease (Flesch)"), f"{before.reading_ease:.0f}", f"{after.reading_ease:.0f}"),
            (self.tr("Words a sentence"), f"{before.mean_sentence:.1f}", f"{after.mean_sentence:.1f}"),
            (self.tr("Passive"), f"{before.passive_share:.0%}", f"{after.passive_share:.0%}"),
            (self.tr("Adverbs in -ly"), f"{before.adverb_share:.1%}", f"{after.adverb_share:.1%}"),
            (
                self.tr("Same openings"),
                f"{before.repeated_opening_share:.0%}",
                f"{after.repeated_opening_share:.0%}",
            ),
            (self.tr("Speech"), f"{before.dialogue_share:.0%}", f"{after.dialogue_share:.0%}"),
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE_XL)
        grid.setVerticalSpacing(2)
        for column, (name, first, second) in enumerate(rows):
            grid.addWidget(make_label(name, "muted"), 0, column)
            changed = first if first == second else f"{first} → {second}"
            grid.addWidget(make_label(changed), 1, column)
        return grid

    def _make_category(self, category: Category) -> QCheckBox:
        box = QCheckBox(self)
        box.setProperty("category", str(category))
        box.clicked.connect(
            lambda checked: self.hunks.set_plan(self.hunks.plan.choose_category(category, bool(checked)))
        )
        return box

    def _show_choice(self) -> None:
        plan = self.hunks.plan
        taken = len(plan.accepted)
        for box in self.categories:
            states = [edit.accepted for edit in plan.edits if edit.finding.category == box.property("category")]
            counts = self.tr("{taken} of {n}").format(taken=sum(states), n=len(states))
            box.setText(f"{say_category(str(box.property('category')))} ({counts})")
            box.setTristate(any(states) and not all(states))
            mixed = Qt.CheckState.PartiallyChecked if any(states) else Qt.CheckState.Unchecked
            box.setCheckState(Qt.CheckState.Checked if all(states) else mixed)
        found = self.tr("%Ln corrections", "", len(plan.edits))
        where = self.tr("in %Ln sentences", "", len(plan.hunks))
        self.summary.setText(f"{found} {where}")
        self.apply_button.setText(self.tr("Put %Ln in", "", taken))
        self.apply_button.setEnabled(taken > 0)

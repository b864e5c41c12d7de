"""What replacing all would change, place by place, to be ticked off before any of it does."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListView,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from storydesk.domain.text_search import PlannedReplacement, tick
from storydesk.ui.theme import SPACE_M, SPACE_S, SPACE_XL, current_tokens, make_label, resize_on_screen, set_role

PLAN = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex


class PlanItemModel(QAbstractListModel):
    """The lines of a plan with a tick each. GUI thread."""

    def __init__(self, plan: Sequence[PlannedReplacement], parent: QWidget) -> None:
        """Begin with everything ticked."""
        super().__init__(parent)
        self.plan = list(plan)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Return how many lines there are."""
        return 0 if parent.isValid() else len(self.plan)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a line says."""
        planned = self.plan[index.row()]
        if role == PLAN:
            return planned
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if planned.accepted else Qt.CheckState.Unchecked
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            words = self.tr("“{before}{found}{after}” becomes “{before}{put}{after}”")
            return words.format(
                before=planned.before, found=planned.found, after=planned.after, put=planned.hit.replacement
            )
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tick a line or take the tick away."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        checked = Qt.CheckState(value) == Qt.CheckState.Checked
        self.plan[index.row()] = tick(self.plan[index.row()], checked)
        self.dataChanged.emit(index, index)
        return True

    def tick_all(self, accepted: bool) -> None:
        """Tick every line, or none."""
        self.plan = [tick(planned, accepted) for planned in self.plan]
        self.dataChanged.emit(self.index(0), self.index(max(len(self.plan) - 1, 0)))

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let lines be ticked."""
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable


class PlanDelegate(QStyledItemDelegate):
    """Draws what goes away struck through and what comes bold, in their surroundings. GUI thread."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one line."""
        super().paint(painter, option, index)
        planned = index.data(PLAN)
        style = option.widget.style() if option.widget is not None else None
        if not isinstance(planned, PlannedReplacement) or style is None:
            return
        self.initStyleOption(option, index)
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDisplay
        option.text = "x"
        area = style.subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, option.widget)
        area.setLeft(area.left() + SPACE_S)
        area.setRight(option.rect.right() - SPACE_S)
        layout = self._lay_out(planned, option)
        painter.save()
        painter.setClipRect(area)
        painter.setPen(QColor(current_tokens().muted))
        height = layout.lineAt(0).height()
        # The change stands in the middle of its surroundings: what does not fit is cut on both sides.
        change = layout.lineAt(0).cursorToX(len(planned.before))
        at: object = change[0] if isinstance(change, tuple) else change
        left = area.left() - max(0.0, float(at if isinstance(at, (int, float)) else 0.0) - area.width() / 3)
        painter.translate(left, area.center().y() - height / 2)
        layout.draw(painter, layout.position())
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return a line's height, the same for all."""
        return QSize(0, option.fontMetrics.height() + SPACE_M)

    @staticmethod
    def _lay_out(planned: PlannedReplacement, option: QStyleOptionViewItem) -> QTextLayout:
        tokens = current_tokens()
        found, put = planned.found.replace("\n", " ¶ "), planned.hit.replacement.replace("\n", " ¶ ")
        if not planned.accepted:
            put = ""
        elif put and not found.endswith(" "):
            put = f" {put}"
        parts = [planned.before, found, put, planned.after]
        gone, come = QTextCharFormat(), QTextCharFormat()
        gone.setFontStrikeOut(True)
        gone.setForeground(QColor(tokens.problem))
        come.setFontWeight(QFont.Weight.Bold)
        come.setForeground(QColor(tokens.ink))
        ranges, place = [], 0
        for part, look in zip(parts, (None, gone, come, None), strict=True):
            length = len(part.encode("utf-16-le", "surrogatepass")) // 2
            if look is not None and planned.accepted:
                piece = QTextLayout.FormatRange()
                piece.start, piece.length, piece.format = place, length, look
                ranges.append(piece)
            place += length
        layout = QTextLayout("".join(parts), option.font)
        wrap = QTextOption()
        wrap.setWrapMode(QTextOption.WrapMode.NoWrap)
        layout.setTextOption(wrap)
        layout.setFormats(ranges)
        layout.beginLayout()
        layout.createLine()
        layout.endLayout()
        return layout


class ReplacePreview(QDialog):
    """Lists what would change. GUI thread."""

    accepted_plan = Signal(object)
    """The plan with the writer's decisions."""

    def __init__(self, plan: Sequence[PlannedReplacement], parent: QWidget | None = None) -> None:
        """Show a plan."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Replace all"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.model = PlanItemModel(plan, self)
        self.model.dataChanged.connect(self._say)
        self.list = QListView(self)
        self.list.setModel(self.model)
        self.list.setItemDelegate(PlanDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(self.tr("What would change"))
        self.list.setCurrentIndex(self.model.index(0))
        self.every = QPushButton(self.tr("Tick all"), self)
        self.every.clicked.connect(lambda: self.model.tick_all(True))
        self.none = QPushButton(self.tr("Tick none"), self)
        self.none.clicked.connect(lambda: self.model.tick_all(False))
        cancel = QPushButton(self.tr("Cancel"), self)
        cancel.clicked.connect(self.reject)
        self.go = QPushButton(self)
        set_role(self.go, "primary")
        self.go.setDefault(True)
        self.go.clicked.connect(self._on_go)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        for button in (self.every, self.none):
            row.addWidget(button)
        row.addStretch(1)
        for button in (cancel, self.go):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_XL)
        column.setSpacing(SPACE_M)
        column.addWidget(make_label(self.tr("What would change"), "title"))
        column.addWidget(make_label(self.tr("Space ticks a line off. One Undo takes everything back."), "muted"))
        column.addWidget(self.list, 1)
        column.addLayout(row)
        self._say()
        resize_on_screen(self, 640, 480)

    def _say(self) -> None:
        count = sum(planned.accepted for planned in self.model.plan)
        self.go.setText(self.tr("Replace %Ln places", "", count))
        self.go.setEnabled(count > 0)

    def _on_go(self) -> None:
        self.accepted_plan.emit(self.model.plan)
        self.accept()

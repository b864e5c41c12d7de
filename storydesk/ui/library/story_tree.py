"""The tree of the library: how its rows look, what its keys do, and what may be dragged."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPen,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from storydesk.bridge.library_item_model import CHAPTER, PASSAGE, SCENE, STORY, Role
from storydesk.domain.library import Passage
from storydesk.domain.outline import Status
from storydesk.ui.sentences import say_draft, say_short
from storydesk.ui.theme import SPACE_L, SPACE_S, SPACE_XS, current_tokens

LINES: Final = 3
"""Of a passage, so many lines are shown."""
_DOT: Final = 9
_FILLED: Final = {Status.IDEA: 0.0, Status.DRAFT: 0.34, Status.REVISED: 0.67, Status.FINISHED: 1.0}
Index = QModelIndex | QPersistentModelIndex


class StoryTree(QTreeView):
    """The list of stories. Delete puts one into the trash, Alt with an arrow moves an item. GUI thread."""

    trash_wanted = Signal()
    step_wanted = Signal(int)
    """Move the current item one place up (-1) or down (1)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Prepare an empty tree whose items can be dragged."""
        super().__init__(parent)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setItemDelegate(ShelfDelegate(self))
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setExpandsOnDoubleClick(False)
        self.setDragEnabled(True)
        self.setAcceptDrops(True)
        self.setDropIndicatorShown(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)

    def event(self, event: QEvent) -> bool:
        """Take Alt with an arrow for the tree before a shortcut of the window has it."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _read_step(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Hear Delete, and Alt with an arrow."""
        step = _read_step(event)
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.trash_wanted.emit()
        elif step:
            self.step_wanted.emit(step)
        else:
            super().keyPressEvent(event)


class ShelfDelegate(QStyledItemDelegate):
    """Paints stories and parts with status and progress, passages with their words marked. GUI thread.

    It moves what lies below to the right, mark and all; a tree's own indentation can't.
    """

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint an item where it belongs."""
        depth = _depth(index)
        if depth:
            rect = option.rect
            rect.setLeft(rect.left() + depth * SPACE_L)
            option.rect = rect
        kind = index.data(Role.KIND)
        if kind == PASSAGE:
            self._paint_passage(painter, option, index)
        elif kind in (STORY, CHAPTER, SCENE):
            self._paint_card(painter, option, index)
        else:
            super().paint(painter, option, index)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Give passages the lines that they need."""
        size = super().sizeHint(option, index)
        if index.data(Role.KIND) != PASSAGE:
            return size
        metrics = option.fontMetrics
        lines = min(LINES, _lay_out(index.data(Role.PASSAGE), option.font, self._passage_width(index)).lineCount())
        return QSize(size.width(), metrics.lineSpacing() * lines + _small(option.font)[1] + 2 * SPACE_XS + 2)

    def _passage_width(self, index: Index) -> int:
        view = self.parent()
        width = view.viewport().width() if isinstance(view, QTreeView) else 200
        return max(60, width - _depth(index) * SPACE_L - 2 * SPACE_S)

    def _paint_card(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        filled = QStyleOptionViewItem(option)
        self.initStyleOption(filled, index)
        words, target = index.data(Role.WORDS), index.data(Role.TARGET) or 0
        status = Status(index.data(Role.STATUS) or "")
        font, _height = _small(option.font)
        note = _say_progress(-1 if words is None else words, target)
        painter.save()
        painter.setFont(font)
        note_width = painter.fontMetrics().horizontalAdvance(note) + SPACE_XS if note else 0
        dot_width = _DOT + SPACE_S if status else 0
        painter.restore()
        style = option.widget.style() if option.widget is not None else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, filled, painter, option.widget)
        whole = QRect(filled.rect)
        filled.rect = QRect(whole.left(), whole.top(), max(0, whole.width() - note_width - dot_width), whole.height())
        filled.state &= ~(QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver)
        filled.state &= ~QStyle.StateFlag.State_HasFocus
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, filled, painter, option.widget)
        self._paint_note(painter, whole, note, font, status)
        if target and words is not None and words >= 0:
            _paint_line(painter, whole, min(1.0, words / target))

    def _paint_note(self, painter: QPainter, rect: QRect, note: str, font: QFont, status: Status) -> None:
        tokens = current_tokens()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        right = rect.right() - SPACE_XS
        if status:
            circle = QRectF(right - _DOT, rect.center().y() - _DOT / 2 + 0.5, _DOT, _DOT)
            painter.setPen(QPen(QColor(tokens.accent), 1.4))
            painter.drawEllipse(circle)
            painter.setBrush(QColor(tokens.accent))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawPie(circle, 90 * 16, -int(360 * 16 * _FILLED[status]))
            right -= _DOT + SPACE_S
        if note:
            painter.setFont(font)
            painter.setPen(QColor(tokens.muted))
            place = QRect(rect.left(), rect.top(), right - rect.left(), rect.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, note)
        painter.restore()

    def _paint_passage(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        filled = QStyleOptionViewItem(option)
        self.initStyleOption(filled, index)
        style = option.widget.style() if option.widget is not None else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, filled, painter, option.widget)
        passage = index.data(Role.PASSAGE)
        tokens = current_tokens()
        rect = option.rect.adjusted(SPACE_S, SPACE_XS, -SPACE_S, -SPACE_XS)
        painter.save()
        painter.setPen(QColor(tokens.ink))
        layout = _lay_out(passage, option.font, rect.width())
        lines = min(LINES, layout.lineCount())
        for number in range(lines):
            layout.lineAt(number).draw(painter, QPointF(rect.topLeft()))
        top = rect.top() + lines * option.fontMetrics.lineSpacing()
        font, height = _small(option.font)
        painter.setFont(font)
        painter.setPen(QColor(tokens.muted))
        place = QRect(rect.left(), top, rect.width(), height)
        said = painter.fontMetrics().elidedText(_say_place(passage), Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, said)
        painter.restore()


def _read_step(event: QKeyEvent) -> int:
    """Return -1 for Alt+Up, 1 for Alt+Down, 0 for any other key."""
    if not event.modifiers() & Qt.KeyboardModifier.AltModifier:
        return 0
    return {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)


def _depth(index: Index) -> int:
    depth, above = 0, index.parent()
    while above.isValid():
        depth, above = depth + 1, above.parent()
    return depth


def _small(font: QFont) -> tuple[QFont, int]:
    """Return the font of notes beside a title, and the height of its lines."""
    smaller = QFont(font)
    if font.pixelSize() > 0:
        smaller.setPixelSize(max(9, font.pixelSize() - 1))
    else:
        smaller.setPointSizeF(max(7.0, font.pointSizeF() - 1))
    return smaller, QFontMetrics(smaller).lineSpacing()


def _say_progress(words: int, target: int) -> str:
    """Return a number of words in short, with the target where there is one."""
    if words < 0:
        return ""
    return f"{say_short(words)} / {say_short(target)}" if target else say_short(words)


def _say_place(passage: Passage) -> str:
    """Return where a passage stands."""
    draft = say_draft(passage.draft)
    return f"{passage.chapter} · {draft}" if passage.chapter else draft


def _paint_line(painter: QPainter, rect: QRect, share: float) -> None:
    """Paint how far a target is reached, along the lower edge."""
    tokens = current_tokens()
    line = rect.adjusted(SPACE_S, 0, -SPACE_S, 0)
    line.setTop(line.bottom() - 1)
    painter.fillRect(line, QColor(tokens.line))
    line.setWidth(round(line.width() * share))
    painter.fillRect(line, QColor(tokens.accent))


def _lay_out(passage: Passage, font: QFont, width: int) -> QTextLayout:
    """Return a passage's lines, its words marked by weight and colour."""
    tokens = current_tokens()
    layout = QTextLayout(passage.preview, font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    ranges = []
    for start, end in passage.marks:
        wanted = QTextLayout.FormatRange()
        wanted.start, wanted.length = _units(passage.preview, start), _units(passage.preview[start:end], end - start)
        look = QTextCharFormat()
        look.setFontWeight(QFont.Weight.Bold)
        look.setBackground(QColor(tokens.accent_soft))
        look.setForeground(QColor(tokens.ink))
        wanted.format = look
        ranges.append(wanted)
    layout.setFormats(ranges)
    layout.beginLayout()
    height = 0.0
    spacing = QFontMetrics(font).lineSpacing()
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        line.setPosition(QPointF(0, height))
        height += spacing
        if layout.lineCount() > LINES:
            break
    layout.endLayout()
    return layout


def _units(text: str, offset: int) -> int:
    """Return the UTF-16 offset of a code point offset."""
    return len(text[:offset].encode("utf-16-le", "surrogatepass")) // 2

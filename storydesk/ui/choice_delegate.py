"""Rows of rich text with a box before them, to be taken or left: corrections, and what differs between versions."""

from __future__ import annotations

import html
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPalette, QTextDocument
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from storydesk.ui.theme import SPACE_M, SPACE_S, current_tokens, icon

Index = QModelIndex | QPersistentModelIndex

_BOX = 18
_NARROWEST = 120


class ChoiceDelegate(QStyledItemDelegate):
    """Paints the box and the markup of a row, in columns where a subclass has several. GUI thread."""

    def list_markup(self, index: Index) -> list[str]:
        """Return the markup of each column of a row."""
        raise NotImplementedError

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(current_tokens().accent_soft))
        box = QRect(option.rect.left() + SPACE_M, option.rect.top() + SPACE_S + 2, _BOX, _BOX)
        _draw_box(painter, box, index.data(Qt.ItemDataRole.CheckStateRole))
        painter.translate(option.rect.left() + _BOX + 2 * SPACE_M, option.rect.top() + SPACE_S)
        for document in self._lay_out(option, index):
            document.drawContents(painter)
            painter.translate(document.textWidth() + SPACE_M, 0)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the room that a row takes in the list's width."""
        height = max(document.size().height() for document in self._lay_out(option, index))
        return QSize(0, round(height) + 2 * SPACE_S)

    def editorEvent(self, event: QEvent, model: Any, option: QStyleOptionViewItem, index: Index) -> bool:
        """Turn a click anywhere on a row, or the space bar, into the other choice."""
        pressed = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space
        if event.type() != QEvent.Type.MouseButtonRelease and not (pressed and event.type() == QEvent.Type.KeyPress):
            return False
        checked = index.data(Qt.ItemDataRole.CheckStateRole) is Qt.CheckState.Checked
        wanted = Qt.CheckState.Unchecked if checked else Qt.CheckState.Checked
        return bool(model.setData(index, wanted, Qt.ItemDataRole.CheckStateRole))

    def _lay_out(self, option: QStyleOptionViewItem, index: Index) -> list[QTextDocument]:
        view = option.widget
        width = view.viewport().width() if isinstance(view, QListView) else option.rect.width()
        columns = self.list_markup(index)
        room = max(width - _BOX - 3 * SPACE_M, _NARROWEST)
        ink = option.palette.color(QPalette.ColorRole.Text).name()
        documents = []
        for markup in columns:
            document = QTextDocument()
            document.setDocumentMargin(0)
            document.setDefaultFont(option.font)
            document.setHtml(f'<div style="color:{ink}">{markup}</div>')
            document.setTextWidth((room - SPACE_M * (len(columns) - 1)) / len(columns))
            documents.append(document)
        return documents


def escape(text: str) -> str:
    """Return a writer's text as markup that shows it as it is."""
    return html.escape(text).replace("\n", "<br>").replace("  ", "&nbsp;&nbsp;")


def _draw_box(painter: QPainter, rect: QRect, state: Qt.CheckState) -> None:
    """Draw a box as the style sheet draws those outside of lists."""
    tokens = current_tokens()
    full = state is not Qt.CheckState.Unchecked
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor(tokens.accent if full else tokens.muted))
    painter.setBrush(QColor(tokens.accent if full else tokens.page))
    painter.drawRoundedRect(QRectF(rect).adjusted(1.5, 1.5, -1.5, -1.5), 4, 4)
    if full:
        mark = "check" if state is Qt.CheckState.Checked else "minus"
        icon(mark, "on_accent").paint(painter, rect.adjusted(3, 3, -3, -3))

"""The page: plain text in a readable measure, with ghost text and marks that are no part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QMimeData, QPoint, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetricsF,
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCursor,
    QTextDocumentFragment,
    QTextOption,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from storydesk.ui.editor.compositor import FormatCompositor
from storydesk.ui.editor.ghost import LINE_HEIGHT, GhostText
from storydesk.ui.editor.word_count import forget_counts
from storydesk.ui.theme import current_tokens, set_role

MEASURE_CHARACTERS = 68
PAGE_MARGIN = 40
_SAMPLE = "the quick brown fox jumps over the lazy dog and then sits down to think about it "
_PARAGRAPH = "\u2029"


class PageEdit(QTextEdit):
    """The text editor. What goes in by ``set_text`` comes out of ``text`` unchanged. GUI thread."""

    edited = Signal(int, int, int)
    """The writer changed the text: position, removed, added (UTF-16 units)."""
    ghost_dropped = Signal()
    """The ghost went away without being accepted."""
    ghost_accepted = Signal()
    first_painted = Signal()
    place_clicked = Signal(int, QPoint)
    """A click without a selection: place in the text, and on the screen."""
    menu_wanted = Signal(object, int)
    """A context menu about to be shown, and the place it is about."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with an empty page."""
        super().__init__(parent)
        set_role(self, "page")
        self.setAcceptRichText(False)
        self.setAccessibleName(self.tr("Your story"))
        self.setCursorWidth(2)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDocumentMargin(PAGE_MARGIN)
        self.marks = FormatCompositor(self)
        self._ghost: GhostText | None = None
        self._replacing = False
        self._accepting = False
        self._composing = False
        self._painted = False
        self._page_font: QFont | None = None
        self._ghost_answers: dict[str, Callable[[], object]] = {
            "accept_ghost": self.accept_ghost,
            "dismiss_ghost": self.drop_ghost,
        }
        self._ghost_keys = {"accept_ghost": "Tab", "dismiss_ghost": "Esc"}
        self.document().contentsChange.connect(self._on_contents_change)
        self.cursorPositionChanged.connect(self._on_cursor_moved)
        self.verticalScrollBar().rangeChanged.connect(self._on_range_changed)
        self.set_text("")

    def text(self) -> str:
        """Return the text with line feeds between paragraphs and every other character as it was written."""
        return self.document().toRawText().replace(_PARAGRAPH, "\n")

    def text_before_cursor(self) -> str:
        """Return what stands before the cursor, or before a selection."""
        cursor = self.textCursor()
        cursor.setPosition(cursor.selectionStart())
        cursor.movePosition(QTextCursor.MoveOperation.Start, QTextCursor.MoveMode.KeepAnchor)
        return cursor.selectedText().replace(_PARAGRAPH, "\n")

    def set_text(self, text: str) -> None:
        """Put another text on the page; it can't be undone, and the cursor stands at its end."""
        self._replacing = True
        self.drop_ghost()
        document = self.document()
        document.setUndoRedoEnabled(False)
        document.clear()
        cursor = self.textCursor()
        spacing = QTextBlockFormat()
        spacing.setLineHeight(LINE_HEIGHT * 100, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setBlockFormat(spacing)
        cursor.insertText(text)
        document.setUndoRedoEnabled(True)
        document.setModified(False)
        self.setTextCursor(cursor)
        self._replacing = False
        self.ensureCursorVisible()

    def insert(self, text: str) -> None:
        """Insert text behind the cursor or a selection, as one step that can be undone."""
        cursor = self.textCursor()
        cursor.setPosition(cursor.selectionEnd())
        cursor.beginEditBlock()
        cursor.insertText(text)
        cursor.endEditBlock()
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def replace(self, start: int, end: int, text: str) -> None:
        """Replace a stretch as one step that can be undone."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text)

    def text_at(self, start: int, end: int) -> str:
        """Return a stretch of the text."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return cursor.selectedText().replace(_PARAGRAPH, "\n")

    def go_to(self, start: int, end: int) -> None:
        """Select a stretch and show it."""
        cursor = self.textCursor()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def set_page_font(self, font: QFont) -> None:
        """Write in this font."""
        self._page_font = font
        self.setFont(font)
        self._fit_margins()
        self._lay_out_ghost()

    @property
    def ghost(self) -> str:
        """The suggestion at the cursor, empty where there is none."""
        return self._ghost.text if self._ghost is not None else ""

    @property
    def is_accepting(self) -> bool:
        """Whether a suggestion is just becoming text."""
        return self._accepting

    @property
    def is_composing(self) -> bool:
        """Whether an input method is putting a word together."""
        return self._composing

    def show_ghost(self, text: str) -> None:
        """Suggest a text at the cursor, or let the suggestion grow."""
        if not text:
            return
        position = self.textCursor().position()
        if self._ghost is None:
            self._ghost = GhostText(text, position)
        else:
            self._ghost.text = text
        self._lay_out_ghost()
        self._reveal_ghost()

    def drop_ghost(self) -> None:
        """Take the suggestion away; the document is as it was."""
        if self._ghost is None:
            return
        self._ghost = None
        self._fit_scroll_range()
        self.viewport().update()
        if not self._accepting:
            self.ghost_dropped.emit()

    def accept_ghost(self) -> str:
        """Make the suggestion text, in one step that can be undone, and return it."""
        if self._ghost is None:
            return ""
        text = self._ghost.text
        self._accepting = True
        self.drop_ghost()
        self.insert(text)
        self._accepting = False
        self.ghost_accepted.emit()
        return text

    # Ghost text: layout and painting

    def _lay_out_ghost(self) -> None:
        if self._ghost is None:
            return
        block = self.document().findBlock(self._ghost.position)
        margin = self.document().documentMargin()
        width = self.document().textWidth() - 2 * margin
        self._ghost.lay_out(block, self.font(), margin, width)
        self._fit_scroll_range()
        self.viewport().update()

    def _reveal_ghost(self) -> None:
        if self._ghost is None:
            return
        bar = self.verticalScrollBar()
        beyond = self._ghost.bottom - bar.value() - self.viewport().height() + PAGE_MARGIN / 2
        room = self.cursorRect().top() - PAGE_MARGIN / 2
        if beyond > 0 and room > 0:
            bar.setValue(bar.value() + int(min(beyond, room)))

    def _fit_scroll_range(self) -> None:
        push = self._ghost.push if self._ghost is not None else 0.0
        height = self.document().documentLayout().documentSize().height()
        self.verticalScrollBar().setMaximum(max(0, int(height + push) - self.viewport().height()))

    @Slot(int, int)
    def _on_range_changed(self, _low: int, _high: int) -> None:
        if self._ghost is not None:
            self._fit_scroll_range()
        self._fit_margins()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the page, and the ghost with what stands below it moved down."""
        super().paintEvent(event)
        if self._ghost is not None and not self._composing:
            self._paint_ghost()
        if not self._painted:
            self._painted = True
            self.first_painted.emit()

    def _paint_ghost(self) -> None:
        assert self._ghost is not None
        tokens = current_tokens()
        painter = QPainter(self.viewport())
        painter.translate(0, -self.verticalScrollBar().value())
        ghost = self._ghost
        area = QRectF(0, ghost.split, self.viewport().width(), self._document_bottom() - ghost.split + ghost.push)
        if ghost.push:
            painter.fillRect(area, QColor(tokens.page))
            painter.save()
            painter.setClipRect(area.adjusted(0, ghost.push, 0, 0))
            painter.translate(0, ghost.push)
            context = QAbstractTextDocumentLayout.PaintContext()
            context.palette = self.palette()
            context.clip = area
            self.document().documentLayout().draw(painter, context)
            painter.restore()
        ghost.paint(painter, QColor(tokens.accent))
        painter.end()

    def _document_bottom(self) -> float:
        visible = self.verticalScrollBar().value() + self.viewport().height()
        return max(self.document().documentLayout().documentSize().height(), visible)

    # What happens to the text

    @Slot(int, int, int)
    def _on_contents_change(self, position: int, removed: int, added: int) -> None:
        if self._composing and removed == added:
            return  # preedit text makes Qt say so, but nothing was written
        forget_counts(self.document(), position, added)
        if self._replacing:
            return
        self.drop_ghost()
        self.marks.refresh()
        self.edited.emit(position, removed, added)

    @Slot()
    def _on_cursor_moved(self) -> None:
        if self._ghost is not None and self.textCursor().position() != self._ghost.position:
            self.drop_ghost()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Let an input method compose undisturbed: the ghost is out of sight until it is done."""
        self._composing = bool(event.preeditString()) or not event.commitString()
        super().inputMethodEvent(event)
        self._composing = bool(event.preeditString())
        if event.commitString():
            self.drop_ghost()
        if not self._composing:
            self.marks.refresh()
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Accept or dismiss a ghost; Shift+Return is a paragraph like Return, for a draft knows no other break."""
        if self._ghost is not None and self._answer_ghost(event):
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and (
            event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        ):
            event = QKeyEvent(
                QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\r", event.isAutoRepeat()
            )
        super().keyPressEvent(event)

    def hear_ghost_keys(self, keys: Mapping[str, str]) -> None:
        """Answer a ghost with these keys, by what they do (``accept_ghost`` ...); the rest stay as they are."""
        self._ghost_keys |= {name: key for name, key in keys.items() if name in self._ghost_answers}

    def _answer_ghost(self, event: QKeyEvent) -> bool:
        """Do with the ghost what this key is for; return whether it is for anything."""
        pressed = QKeySequence(event.keyCombination()).toString()
        name = next((name for name, key in self._ghost_keys.items() if key and key == pressed), "")
        if not name or (self.isReadOnly() and name != "dismiss_ghost"):
            return False
        self._ghost_answers[name]()
        return True

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Take anything that has text in it; files go to the library."""
        return not source.hasUrls() and (source.hasText() or source.hasHtml())

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste plain text with its paragraphs, whatever it looked like where it came from."""
        text = source.text() if source.hasText() else QTextDocumentFragment.fromHtml(source.html()).toPlainText()
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\x00", "")
        self.textCursor().insertText(text)
        self.ensureCursorVisible()

    def createMimeDataFromSelection(self) -> QMimeData:
        """Copy plain text, no-break spaces included."""
        data = QMimeData()
        data.setText(self.textCursor().selectedText().replace(_PARAGRAPH, "\n"))
        return data

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tell where a click went that selected nothing."""
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and not self.textCursor().hasSelection():
            place = self.cursorForPosition(event.position().toPoint()).position()
            self.place_clicked.emit(place, event.globalPosition().toPoint())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Show the usual menu with what the window adds to it."""
        menu = self.createStandardContextMenu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        by_keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        place = self.textCursor() if by_keyboard else self.cursorForPosition(event.pos())
        self.menu_wanted.emit(menu, place.position())
        menu.popup(event.globalPos())

    # The measure

    def event(self, event: QEvent) -> bool:
        """Set the margins before the viewport hears of another size: a resize within a resize would be lost."""
        if event.type() == QEvent.Type.Resize:
            self._fit_margins()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what lies over the text where it belongs."""
        super().resizeEvent(event)
        self._lay_out_ghost()
        self.marks.refresh()

    def changeEvent(self, event: QEvent) -> None:
        """Fit the measure to another font; a style sheet forgets the font when it is put on, so set it again."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            wanted = self._page_font
            if wanted is not None and self.font().toString() != wanted.toString():
                self.setFont(wanted)
            self._fit_margins()
        elif event.type() == QEvent.Type.PaletteChange:
            self.viewport().update()

    def _fit_margins(self) -> None:
        metrics = QFontMetricsF(self.font())
        measure = metrics.horizontalAdvance(_SAMPLE) / len(_SAMPLE) * MEASURE_CHARACTERS + 2 * PAGE_MARGIN
        spare = max(0, int((self.width() - measure) / 2))
        # The scroll bar takes its room from the margin, so that its coming and going never breaks lines anew.
        bar = self.verticalScrollBar()
        right = max(0, spare - bar.sizeHint().width()) if bar.maximum() > 0 else spare
        margins = self.viewportMargins()
        if (margins.left(), margins.right()) != (spare, right):
            self.setViewportMargins(spare, 0, right, 0)

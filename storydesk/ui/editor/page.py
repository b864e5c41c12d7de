"""The page: plain text in a readable measure, with ghost text and marks that are no part of it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetricsF,
    QGuiApplication,
    QInputMethodEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCursor,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from storydesk.domain.acceptance import measure_sentence, measure_word
from storydesk.ui.editor.authorship_tracker import AuthorshipTracker
from storydesk.ui.editor.clipboard import make_copied, read_pasted
from storydesk.ui.editor.compositor import FormatCompositor
from storydesk.ui.editor.ghost import GhostText
from storydesk.ui.editor.ghost_keys import GhostKeys
from storydesk.ui.editor.markup_look import LAYER, MarkupLook
from storydesk.ui.editor.page_layout import Gap, PageLayout
from storydesk.ui.editor.paragraphs import Paragraphs
from storydesk.ui.editor.smart_keys import SmartKeys
from storydesk.ui.theme import current_tokens, set_role

MEASURE_CHARACTERS = 68
PAGE_MARGIN = 40
LINE_HEIGHT = 1.5
_SAMPLE = "the quick brown fox jumps over the lazy dog and then sits down to think about it "
_PARAGRAPH = "\u2029"


@dataclass(frozen=True, slots=True)
class PageLook:
    """How the page is set: characters in a line, line height as a multiple, margins in pixels; what moves and dims."""

    measure: int = MEASURE_CHARACTERS
    line_height: float = LINE_HEIGHT
    margin: int = PAGE_MARGIN
    typewriter: bool = False
    dims: bool = False


class PageEdit(QTextEdit):
    """The text editor. What goes in by ``set_text`` comes out of ``text`` unchanged. GUI thread."""

    edited = Signal(int, int, int)
    """The writer changed the text: position, removed, added (UTF-16 units)."""
    ghost_dropped = Signal()
    """The ghost went away without being accepted."""
    ghost_accepted = Signal(str)
    """All of the ghost, or the last part of it, became text."""
    ghost_part_accepted = Signal(str)
    """The beginning of the ghost became text, the rest is still offered."""
    ghost_clicked = Signal(int, QPoint)
    """A click into the ghost: place in its text (code points), and on the screen."""
    first_painted = Signal()
    place_clicked = Signal(int, QPoint)
    """A click without a selection: place in the text, and on the screen."""
    menu_wanted = Signal(object, int)
    """A context menu about to be shown, and the place it is about."""
    copied = Signal(object, int, int)
    """A selection is about to be copied, cut or dragged: the QMimeData, which may be added to, its start and end."""
    zoom_wanted = Signal(int)
    """Larger (1) or smaller (-1) text, by Ctrl and the wheel."""
    reworking = Signal(str)
    """Many places are about to be changed in one step, by a "replace" or a "polish"."""
    pasting = Signal(object, str)
    """Something is about to be pasted or dropped over the selection: its QMimeData, and the text that goes in."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with an empty page."""
        super().__init__(parent)
        self.document().setDocumentMargin(PAGE_MARGIN)
        self.look = PageLook()
        self.marks = FormatCompositor(self)
        self.smart_keys = SmartKeys(self)
        self.paragraphs = Paragraphs(self.document())
        self._page_layout = PageLayout(self.document(), self.paragraphs)
        self._page_layout.setPaintDevice(self.viewport())
        self._page_layout.set_composer(self.marks.compose)
        self.document().setDocumentLayout(self._page_layout)
        self.setCursorWidth(2)
        self._markup = MarkupLook()
        self.marks.set_painter(LAYER, self._markup.find_pieces)
        self._ghost: GhostText | None = None
        self._waiting_ghost = ""
        self._replacing = False
        self._accepting = False
        self._composing = False
        self._painted = False
        self._settling = False
        self._scrolled = 0
        self._page_font: QFont | None = None
        self.ghost_keys = GhostKeys()
        self.ghost_keys.add("accept_ghost", "Tab", self.accept_ghost)
        self.ghost_keys.add("accept_word", "Ctrl+Right", self.accept_ghost_word)
        self.ghost_keys.add("accept_sentence", "Ctrl+Shift+Right", self.accept_ghost_sentence)
        self.ghost_keys.add("dismiss_ghost", "Esc", self.drop_ghost)
        self._ghost_pressed: int | None = None
        self._settle_due = QTimer(self)
        self._settle_due.setSingleShot(True)
        self._settle_due.setInterval(0)
        self._settle_due.timeout.connect(self._settle)
        set_role(self, "page")
        self.setAcceptRichText(False)
        self.setAccessibleName(self.tr("Your story"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.authorship = AuthorshipTracker(self)
        self.marks.changed.connect(self._on_marks_changed)
        self.document().contentsChange.connect(self._on_contents_change)
        self.cursorPositionChanged.connect(self._on_cursor_moved)
        self.verticalScrollBar().rangeChanged.connect(self._on_range_changed)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.set_text("")

    def text(self) -> str:
        """Return the text with line feeds between paragraphs and every other character as it was written."""
        return self.paragraphs.text()

    def text_before_cursor(self) -> str:
        """Return what stands before the cursor, or before a selection."""
        start = self.textCursor().selectionStart()
        block = self.document().findBlock(start)
        line = block.text().encode("utf-16-le", "surrogatepass")[: (start - block.position()) * 2]
        lines = self.paragraphs.lines[: block.blockNumber()]
        return "\n".join([*lines, line.decode("utf-16-le", "surrogatepass")])

    def set_text(self, text: str, cursor_position: int = -1) -> None:
        """Put another text on the page; it can't be undone. The cursor stands at its end, or where it is asked to."""
        self._replacing = True
        self.drop_ghost()
        self.marks.clear()
        document = self.document()
        document.setUndoRedoEnabled(False)
        document.clear()
        cursor = self.textCursor()
        cursor.insertText(text)
        document.setUndoRedoEnabled(True)
        document.setModified(False)
        if 0 <= cursor_position < document.characterCount():
            cursor.setPosition(cursor_position)
        self.setTextCursor(cursor)
        self._replacing = False
        self._show_cursor()

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

    def replace_many(self, edits: list[tuple[int, int, str]]) -> None:
        """Replace stretches (start, end, text), in order and apart from each other, as one step that can be undone."""
        self.reworking.emit("replace")
        cursor = QTextCursor(self.document())
        with self.authorship.replacing(edits):
            cursor.beginEditBlock()
            for start, end, text in reversed(edits):
                cursor.setPosition(start)
                cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
                cursor.insertText(text)
            cursor.endEditBlock()

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
        self._show_cursor()

    def set_page_font(self, font: QFont) -> None:
        """Write in this font."""
        self._page_font = font
        self._markup.set_size(font.pointSizeF())
        self.setFont(font)
        self._fit_margins()
        self._on_marks_changed()
        self._lay_out_ghost()

    def set_look(self, look: PageLook) -> None:
        """Set the page otherwise."""
        self.look = look
        self.document().setDocumentMargin(look.margin)
        self._page_layout.set_spacing(look.line_height)
        self._fit_margins()
        self._fit_padding()
        self._light_paragraph()
        self._lay_out_ghost()
        self._show_cursor()

    # Ghost text

    @property
    def ghost(self) -> str:
        """The suggestion on show, empty where there is none."""
        return self._waiting_ghost or (self._ghost.text if self._ghost is not None else "")

    @property
    def is_accepting(self) -> bool:
        """Whether the edit that is being heard of is a suggestion becoming text."""
        return self._accepting

    @property
    def is_composing(self) -> bool:
        """Whether an input method is putting a word together."""
        return self._composing

    def show_ghost(self, text: str) -> None:
        """Suggest a text at the cursor, or let the suggestion grow; while an input method composes it waits."""
        if not text:
            return
        if self._composing:
            self._waiting_ghost = text
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
        waited, self._waiting_ghost = bool(self._waiting_ghost), ""
        if self._ghost is None and not waited:
            return
        self._ghost = None
        self._page_layout.set_gap(None)
        self.viewport().update()
        if not self._accepting:
            self.ghost_dropped.emit()

    def accept_ghost(self) -> str:
        """Make the suggestion text, in one step that can be undone, and return it."""
        if self._ghost is None:
            return ""
        text = self.ghost
        self._accepting = True
        self.drop_ghost()
        self.insert(text)
        self._accepting = False
        self.ghost_accepted.emit(text)
        return text

    def accept_ghost_word(self) -> str:
        """Make the suggestion's next word text, in one step that can be undone; the rest stays a suggestion."""
        return self._accept_part(measure_word(self.ghost))

    def accept_ghost_sentence(self) -> str:
        """Make the suggestion's next sentence text, in one step that can be undone."""
        return self._accept_part(measure_sentence(self.ghost))

    def _accept_part(self, length: int) -> str:
        text, rest = self.ghost[:length], self.ghost[length:]
        if self._ghost is None or not rest:
            return self.accept_ghost()
        self._accepting = True
        self.drop_ghost()
        self.insert(text)
        self._accepting = False
        self.show_ghost(rest)
        self.ghost_part_accepted.emit(text)
        return text

    def _lay_out_ghost(self) -> None:
        ghost = self._ghost
        if ghost is None:
            return
        block = self.document().findBlock(ghost.position)
        box = self._page_layout.blockBoundingRect(block)
        margin = self.document().documentMargin()
        width = self.document().pageSize().width() - 2 * margin
        ghost.lay_out(block, box, self.font(), margin, width, self.look.line_height)
        self._page_layout.set_gap(Gap(ghost.position, ghost.push) if ghost.push else None)
        self.viewport().update()

    def _reveal_ghost(self) -> None:
        if self._ghost is None:
            return
        bar = self.verticalScrollBar()
        beyond = self._ghost.bottom - bar.value() - self.viewport().height() + PAGE_MARGIN / 2
        room = self.cursorRect().top() - PAGE_MARGIN / 2
        if beyond > 0 and room > 0:
            bar.setValue(bar.value() + int(min(beyond, room)))

    # Painting and scrolling

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the page, and the ghost in the room that was made for it."""
        super().paintEvent(event)
        if self._ghost is not None and not self._composing:
            painter = QPainter(self.viewport())
            painter.translate(0, -self.verticalScrollBar().value())
            self._ghost.paint(painter, QColor(current_tokens().accent))
            painter.end()
        if not self._painted:
            self._painted = True
            self.first_painted.emit()

    @Slot()
    def _on_marks_changed(self) -> None:
        self._page_layout.look_again()
        self._settle_due.start()

    @Slot()
    def _settle(self) -> None:
        """Lay out what is seen; where that moves it, as what lies above gets its true height, scroll after it."""
        if self._settling:
            return
        self._settling = True
        bar = self.verticalScrollBar()
        upwards = 0 < self._scrolled - bar.value() < self.viewport().height()
        grown = self._page_layout.ensure(bar.value(), bar.value() + self.viewport().height())
        if grown and upwards:
            bar.setValue(bar.value() + int(grown))
        self._scrolled = bar.value()
        self._settling = False
        self.viewport().update()

    @Slot(int)
    def _on_scrolled(self, _value: int) -> None:
        self._settle()

    @Slot(int, int)
    def _on_range_changed(self, _low: int, _high: int) -> None:
        self._fit_margins()

    def _show_cursor(self) -> None:
        """Bring the cursor into view; what is on the way there gets its true height, so look twice."""
        for _attempt in range(2):
            self.ensureCursorVisible()
            self._centre_cursor()
            self._settle()

    def _centre_cursor(self) -> None:
        if self.look.typewriter and not self._replacing:
            beyond = self.cursorRect().center().y() - self.viewport().height() // 2
            if beyond:
                self.verticalScrollBar().setValue(self.verticalScrollBar().value() + beyond)

    def _fit_padding(self) -> None:
        half = (self.viewport().height() - self._page_layout.pitch) / 2 - self.look.margin
        room = max(half, 0.0) if self.look.typewriter else 0.0
        self._page_layout.set_padding(room, room)

    def _light_paragraph(self) -> None:
        if not self.look.dims:
            self._page_layout.light(None)
            return
        cursor, document = self.textCursor(), self.document()
        first = document.findBlock(cursor.selectionStart()).blockNumber()
        self._page_layout.light((first, document.findBlock(cursor.selectionEnd()).blockNumber()))

    # What happens to the text

    @Slot(int, int, int)
    def _on_contents_change(self, position: int, removed: int, added: int) -> None:
        if self._composing and removed == added and self.paragraphs.holds(position, added):
            return  # preedit text makes Qt say so, but nothing was written
        self.paragraphs.note_change(position, added)
        if self._replacing:
            return
        self.marks.note_edit(position, removed, added)
        self.drop_ghost()
        self.edited.emit(position, removed, added)

    @Slot()
    def _on_cursor_moved(self) -> None:
        if self._ghost is not None and self.textCursor().position() != self._ghost.position:
            self.drop_ghost()
        if self.look.dims:
            self._light_paragraph()
        if self.look.typewriter and QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton:
            self._centre_cursor()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Let an input method compose undisturbed: the ghost is out of sight, and what comes meanwhile waits."""
        was_composing = self._composing
        self._composing = bool(event.preeditString()) or not event.commitString()
        super().inputMethodEvent(event)
        self._composing = bool(event.preeditString())
        if event.commitString():
            self.drop_ghost()
        if was_composing and not self._composing:
            self._page_layout.forget_look(self.textCursor().block())
            waiting, self._waiting_ghost = self._waiting_ghost, ""
            self.show_ghost(waiting)
            self._on_marks_changed()
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Accept or dismiss a ghost; Shift+Return is a paragraph like Return, for a draft knows no other break."""
        if self._ghost is not None and self.ghost_keys.answer(event, writes=not self.isReadOnly()):
            return
        if self.smart_keys.handle(event):
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and (
            event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        ):
            event = QKeyEvent(
                QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\r", event.isAutoRepeat()
            )
        super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Take anything that has text in it; files go to the library."""
        return not source.hasUrls() and (source.hasText() or source.hasHtml())

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste or drop words with their paragraphs, headings and emphasis, cleaned of how they looked elsewhere."""
        self.put_in(source, read_pasted(source))

    def put_in(self, source: QMimeData, text: str) -> None:
        """Put what was pasted in the place of the selection."""
        self.pasting.emit(source, text)
        cursor = self.textCursor()
        cursor.beginEditBlock()
        cursor.insertText(text)
        cursor.endEditBlock()
        self.ensureCursorVisible()

    def createMimeDataFromSelection(self) -> QMimeData:
        """Copy plain text, no-break spaces included."""
        cursor = self.textCursor()
        data = make_copied(cursor.selectedText().replace(_PARAGRAPH, "\n"))
        self.copied.emit(data, cursor.selectionStart(), cursor.selectionEnd())
        return data

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell of a click into the ghost, which is no text and moves no cursor."""
        spot = event.position() + QPointF(0, self.verticalScrollBar().value())
        ghost = self._ghost if event.button() == Qt.MouseButton.LeftButton and not self._composing else None
        place = ghost.place_at(spot) if ghost is not None else None
        self._ghost_pressed = place
        if place is None:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tell where a click went that selected nothing."""
        place, self._ghost_pressed = self._ghost_pressed, None
        if place is not None:
            self.ghost_clicked.emit(place, event.globalPosition().toPoint())
            return
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and not self.textCursor().hasSelection():
            place = self.cursorForPosition(event.position().toPoint()).position()
            self.place_clicked.emit(place, event.globalPosition().toPoint())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll, or with Ctrl held change the size of the text."""
        if event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            turned = event.angleDelta().y()
            if turned:
                self.zoom_wanted.emit(1 if turned > 0 else -1)
            event.accept()
            return
        super().wheelEvent(event)

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
        self._fit_padding()
        self._lay_out_ghost()
        self._settle()

    def changeEvent(self, event: QEvent) -> None:
        """Fit the measure to another font; a style sheet forgets the font when it is put on, so set it again."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            wanted = self._page_font
            if wanted is not None and self.font().toString() != wanted.toString():
                self.setFont(wanted)
            self._fit_margins()
        elif event.type() == QEvent.Type.PaletteChange:
            self.marks.refresh()
            self.viewport().update()

    def _fit_margins(self) -> None:
        metrics = QFontMetricsF(self.font())
        letter = metrics.horizontalAdvance(_SAMPLE) / len(_SAMPLE)
        measure = letter * self.look.measure + 2 * self.look.margin
        spare = max(0, int((self.width() - measure) / 2))
        # The scroll bar takes its room from the margin, so that its coming and going never breaks lines anew.
        bar = self.verticalScrollBar()
        right = max(0, spare - bar.sizeHint().width()) if bar.maximum() > 0 else spare
        margins = self.viewportMargins()
        if (margins.left(), margins.right()) != (spare, right):
            self.setViewportMargins(spare, 0, right, 0)

"""What the model will see: a bar of how full its window is, and every word of it by parts."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import QEvent, QRectF, QSize, QUrl, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QSizePolicy, QTextBrowser, QVBoxLayout, QWidget

from storydesk.bridge.memory_controller import SeenContext
from storydesk.domain.prompting import Part, Section
from storydesk.ui.figures import say_number
from storydesk.ui.memory.part_colours import ORDER, colour_part, say_part, tint_part
from storydesk.ui.theme import SPACE_S, SPACE_XS, current_tokens, make_label

BAR_HEIGHT = 12
LEAST_HEIGHT = 150
OPEN, SWITCH_OFF, EDIT = "open", "off", "edit"
MOST_NAMES = 3


class ContextBar(QWidget):
    """How the window's tokens are shared, in colours; its tip and its accessible name say it in words. GUI thread."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self._shares: list[tuple[Part, int]] = []
        self._room = 1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_shares(self, shares: list[tuple[Part, int]], room: int, words: str) -> None:
        """Show how many of ``room`` tokens each part takes."""
        self._shares, self._room = shares, max(room, 1)
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.update()

    def sizeHint(self) -> QSize:
        """Return a thin bar."""
        return QSize(120, BAR_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the parts side by side, the free room in the colour of a line."""
        super().paintEvent(event)
        tokens = current_tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        path = QPainterPath()
        path.addRoundedRect(area, area.height() / 2, area.height() / 2)
        painter.fillPath(path, QColor(tokens.page))
        painter.setClipPath(path)
        left = area.left()
        for part, count in self._shares:
            width = area.width() * count / self._room
            painter.fillRect(QRectF(left, area.top(), width, area.height()), QColor(colour_part(part, tokens)))
            left += width
            painter.fillRect(QRectF(left - 1, area.top(), 1, area.height()), QColor(tokens.page))
        painter.setClipping(False)
        painter.setPen(QColor(tokens.line))
        painter.drawPath(path)


class ContextView(QWidget):
    """Shows a SeenContext. GUI thread."""

    entry_wanted = Signal(int)
    """The writer wants to see an entry of the lorebook, by its id."""
    switch_off_wanted = Signal(int)
    part_wanted = Signal(object)
    """The writer wants to change this Part where it comes from."""

    def __init__(self, parent: QWidget | None = None, *, editable: bool = True) -> None:
        """Begin with nothing to see."""
        super().__init__(parent)
        self._seen: SeenContext | None = None
        self._editable = editable
        self.figures = make_label("", "muted", self)
        self.bar = ContextBar(self)
        self.left_out = make_label("", "muted", self)
        self.text = QTextBrowser(self)
        self.text.setOpenLinks(False)
        self.text.setAccessibleName(self.tr("What the model will see"))
        self.text.setMinimumHeight(LEAST_HEIGHT)
        self.text.anchorClicked.connect(self._on_anchor_clicked)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self.figures)
        column.addWidget(self.bar)
        column.addWidget(self.left_out)
        column.addWidget(self.text, 1)
        self.say(self.tr("The model has not been asked yet."))

    def say(self, words: str) -> None:
        """Show a sentence in the place of a context."""
        self._seen = None
        self.figures.setText(words)
        self.left_out.hide()
        self.bar.hide()
        self.text.hide()

    def show_context(self, seen: SeenContext) -> None:
        """Show what the model would see now."""
        self._seen = seen
        preview = seen.preview
        if not preview.sections:
            self.say(self.tr("Nothing yet. Write something, or give the story a prompt."))
            return
        counts: Counter[Part] = Counter()
        for section, _text, tokens in preview.sections:
            counts[section.part] += tokens
        self.figures.setText(
            self.tr("{used} of {room} tokens, about {percent}% full; {model}").format(
                used=say_number(preview.used),
                room=say_number(preview.room),
                percent=say_number(100 * preview.used / max(preview.room, 1)),
                model=preview.model,
            )
        )
        shares = [(part, counts[part]) for part in ORDER if counts[part]]
        words = [
            self.tr("{part}: {count} tokens").format(part=say_part(part), count=say_number(n)) for part, n in shares
        ]
        self.bar.show_shares(shares, preview.room, "\n".join(words))
        self.bar.show()
        self._say_left_out(seen)
        self._fill(seen)
        self.text.show()

    def changeEvent(self, event: QEvent) -> None:
        """Take on the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._seen is not None and self.text.isVisible():
            self._fill(self._seen)

    def _say_left_out(self, seen: SeenContext) -> None:
        window = seen.preview.window
        memory, prompt = window.memory_left_out, window.prompt_left_out
        note, text = window.note_left_out, window.text_left_out
        parts = [
            said
            for count, said in (
                (memory, self.tr("%Ln characters of the memory", "", memory)),
                (prompt, self.tr("%Ln characters of the prompt", "", prompt)),
                (note, self.tr("%Ln characters of the note", "", note)),
                (text, self.tr("the text’s first %Ln characters", "", text)),
            )
            if count
        ]
        missing = [seen.recalled.hits[number].entry.title for number in window.lore_left_out]
        if missing:
            names = ", ".join(name or self.tr("untitled") for name in missing[:MOST_NAMES])
            more = "" if len(missing) <= MOST_NAMES else " …"
            said = self.tr("%Ln entries that have no room", "", len(missing))
            parts.insert(0, f"{said} ({names}{more})")
        self.left_out.setText(self.tr("Left out: {parts}.").format(parts="; ".join(parts)))
        self.left_out.setVisible(bool(parts))

    def _fill(self, seen: SeenContext) -> None:
        place = self.text.verticalScrollBar().value()
        self.text.clear()
        cursor = QTextCursor(self.text.document())
        first = True
        for section, text, tokens in seen.preview.sections:
            self._write_heading(cursor, seen, section, tokens, first=first)
            first = False
            self._write_text(cursor, section.part, text)
        # The widget's own cursor was carried along to the end, and the view would follow it there.
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
        self.text.verticalScrollBar().setValue(place)

    def _write_heading(
        self, cursor: QTextCursor, seen: SeenContext, section: Section, tokens: int, *, first: bool
    ) -> None:
        colours = current_tokens()
        block = QTextBlockFormat()
        block.setTopMargin(0 if first else SPACE_S)
        if first:
            cursor.setBlockFormat(block)
        else:
            cursor.insertBlock(block)
        small = QTextCharFormat()
        small.setForeground(QColor(colours.muted))
        small.setFontWeight(600)
        count = self.tr("%Ln tokens", "", tokens)
        if section.part is not Part.LORE:
            cursor.insertText(f"{say_part(section.part)} · {count}", small)
            if self._editable:
                self._write_link(cursor, self.tr("Edit"), f"{EDIT}:{section.part}")
            return
        hit = seen.recalled.hits[section.number]
        title = hit.entry.title or self.tr("untitled")
        why = self.tr("by “{key}”").format(key=hit.key) if hit.key else self.tr("always")
        cursor.insertText(f"{title} · {why} · {count}", small)
        self._write_link(cursor, self.tr("Open"), f"{OPEN}:{hit.entry.id}")
        if self._editable:
            self._write_link(cursor, self.tr("Switch off"), f"{SWITCH_OFF}:{hit.entry.id}")

    def _write_link(self, cursor: QTextCursor, words: str, address: str) -> None:
        plain = QTextCharFormat()
        cursor.insertText("  ", plain)
        link = QTextCharFormat()
        link.setAnchor(True)
        link.setAnchorHref(address)
        link.setForeground(QColor(current_tokens().accent))
        link.setFontUnderline(True)
        cursor.insertText(words, link)

    def _write_text(self, cursor: QTextCursor, part: Part, text: str) -> None:
        colours = current_tokens()
        for number, line in enumerate(text.rstrip("\n").split("\n")):
            block = QTextBlockFormat()
            block.setTopMargin(SPACE_XS if number == 0 else 0)
            block.setBackground(QColor(tint_part(part, colours)))
            cursor.insertBlock(block)
            plain = QTextCharFormat()
            plain.setForeground(QColor(colours.ink))
            cursor.insertText(line, plain)

    @Slot(QUrl)
    def _on_anchor_clicked(self, address: QUrl) -> None:
        kind, _, number = address.toString().partition(":")
        if kind == EDIT:
            self.part_wanted.emit(Part(number))
        elif number.isdigit():
            signal = self.entry_wanted if kind == OPEN else self.switch_off_wanted
            signal.emit(int(number))

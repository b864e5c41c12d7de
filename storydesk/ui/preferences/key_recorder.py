"""A button that hears the next key."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QPushButton, QWidget

_ONLY_MODIFIERS: Final = (
    Qt.Key.Key_Control,
    Qt.Key.Key_Shift,
    Qt.Key.Key_Alt,
    Qt.Key.Key_Meta,
    Qt.Key.Key_AltGr,
    Qt.Key.Key_CapsLock,
    Qt.Key.Key_unknown,
)


class KeyRecorder(QPushButton):
    """Listens after it was pressed until a key comes; Esc leaves all as it was. GUI thread."""

    key_heard = Signal(str)
    """The key in portable form."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Wait to be pressed."""
        super().__init__(parent)
        self._listening = False
        self.setText(self.tr("Change the key…"))
        self.clicked.connect(self._on_clicked)

    @property
    def is_listening(self) -> bool:
        """Whether the next key is meant for this button."""
        return self._listening

    def event(self, event: QEvent) -> bool:
        """Take every key while listening, those of other actions and Tab too."""
        if self._listening and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self._hear(event)
                return True
            if event.type() == QEvent.Type.KeyRelease:
                return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Stop listening when the writer turns to something else."""
        self._listen(on=False)
        super().focusOutEvent(event)

    def _hear(self, event: QKeyEvent) -> None:
        if event.key() in _ONLY_MODIFIERS:
            return
        self._listen(on=False)
        if event.key() != Qt.Key.Key_Escape or event.modifiers():
            key = Qt.Key.Key_Tab if event.key() == Qt.Key.Key_Backtab else Qt.Key(event.key())
            pressed = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            self.key_heard.emit(QKeySequence(pressed.value | key.value).toString())

    def _listen(self, *, on: bool) -> None:
        self._listening = on
        self.setText(self.tr("Press the new key, Esc to leave it") if on else self.tr("Change the key…"))

    @Slot()
    def _on_clicked(self) -> None:
        self._listen(on=True)

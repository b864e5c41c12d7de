"""What a person would see wrong: text that is cut, things without a name, things no key leads to."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from PySide6.QtCore import QRect, QSize, Qt, QTranslator
from PySide6.QtGui import QAccessible, QColor, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollBar,
    QSizeGrip,
    QStyle,
    QStyleOptionButton,
    QTabBar,
    QToolButton,
    QWidget,
)

from storydesk.ui.theme import current_tokens
from storydesk.ui.theme.tokens import contrast_ratio

LONGER = 0.4
ACCENTED = str.maketrans("aceinosuyzACEINOSUYZ", "áçéîñöšüýžÁÇÉÎÑÖŠÜÝŽ")


class LongWinded(QTranslator):
    """Makes every text 40 percent longer and strange, as a translation would; what is filled in stays as it is."""

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str:
        """Return the text with accents and a tail."""
        pieces = re.split(r"(\{[^}]*\}|%L?n)", text)  # what is filled in stays as it is
        said = "".join(piece if place % 2 else piece.translate(ACCENTED) for place, piece in enumerate(pieces))
        tail = ("onaer " * len(text))[: max(2, math.ceil(len(text) * LONGER))].strip()
        return f"{said} {tail}" if text.strip() else text

    def isEmpty(self) -> bool:  # noqa: N802 - Qt's name
        """Return False: it knows every text."""
        return False


def find_cut(root: QWidget, screen: QSize) -> list[str]:
    """Return what is cut off in a window of a dialog's or page's size, in words."""
    found = []
    window = root.window()
    if window.width() > screen.width() or window.height() > screen.height():
        window.resize(window.size().boundedTo(screen))  # as a desktop would
        QApplication.processEvents()
    if window.width() > screen.width() or window.height() > screen.height():
        found.append(f"{type(window).__name__} is {window.width()}x{window.height()} and can't be smaller")
    for widget in _visible(root):
        reason = _why_cut(widget)
        if reason:
            found.append(f"{type(widget).__name__} {_text(widget)!r}: {reason}")
    return found


def find_nameless(root: QWidget) -> list[str]:
    """Return what can have the focus and says nothing to a screen reader."""
    found = []
    for widget in focusable(root):
        interface = QAccessible.queryAccessibleInterface(widget)
        name = interface.text(QAccessible.Text.Name) if interface is not None else ""
        if not name.strip():
            found.append(f"{type(widget).__name__} {widget.objectName()} in {type(widget.parentWidget()).__name__}")
        elif interface.role() == QAccessible.Role.NoRole:
            found.append(f"{name}: no role")
    return found


def find_faint(root: QWidget) -> list[str]:
    """Return texts that are too close to the ground on which they are painted: 4.5:1, 3:1 where they are disabled."""
    found = []
    picture = root.grab().toImage()
    ratio = picture.devicePixelRatio()
    for widget in _visible(root):
        if not isinstance(widget, (QLabel, QAbstractButton, QLineEdit, QComboBox)) or not _text(widget):
            continue
        place = QRect(widget.mapTo(root, widget.rect().topLeft()), widget.size())
        if not root.rect().contains(place) or widget.visibleRegion().isEmpty() or place.width() < 8:
            continue
        area = picture.copy(QRect(place.topLeft() * ratio, place.size() * ratio))
        ground = _commonest(area)
        ink = widget.palette().color(widget.foregroundRole())
        if isinstance(widget, QAbstractButton) and widget.property("role") == "primary" and widget.isEnabled():
            ink = QColor(current_tokens().on_accent)
        least = 4.5 if widget.isEnabled() else 3.0
        seen = contrast_ratio(ink.name(), ground.name())
        if seen < least:
            found.append(
                f"{type(widget).__name__} {_text(widget)[:40]!r}: {ink.name()} on {ground.name()}, {seen:.2f}:1"
            )
    return found


def _commonest(picture: QImage) -> QColor:
    step = max(1, picture.height() // 12)
    points = Counter(
        picture.pixel(x, y) for y in range(1, picture.height() - 1, step) for x in range(1, picture.width() - 1)
    )
    return QColor(points.most_common(1)[0][0]) if points else QColor("white")


def focusable(root: QWidget) -> list[QWidget]:
    """Return what the Tab key should lead to."""
    return [
        widget
        for widget in _visible(root)
        if widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
        and not isinstance(widget, (QScrollBar, QSizeGrip))
        and not isinstance(widget.parentWidget(), (QAbstractSpinBox, QComboBox))
        and widget.objectName() != "qt_scrollarea_viewport"
    ]


def _visible(root: QWidget) -> Iterator[QWidget]:
    for widget in [root, *root.findChildren(QWidget)]:
        if widget.isVisible() and (widget is root or not widget.isWindow()) and widget.window() is root.window():
            yield widget


def _text(widget: QWidget) -> str:
    for name in ("text", "currentText", "placeholderText"):
        if hasattr(widget, name):
            text = str(getattr(widget, name)())
            if text:
                return text
    return widget.accessibleName() or widget.objectName()


def _why_cut(widget: QWidget) -> str:
    if not _in_scroll_area(widget):
        clipped = _clipped(widget)
        if clipped:
            return clipped
    if isinstance(widget, QLabel):
        return _why_label_cut(widget)
    if isinstance(widget, (QCheckBox, QRadioButton)):
        return _too_small(widget, widget.sizeHint())
    if isinstance(widget, (QPushButton, QToolButton)):
        return _why_button_cut(widget)
    if isinstance(widget, QTabBar):
        return _why_tabs_cut(widget)
    if isinstance(widget, QComboBox):
        return _why_combo_cut(widget)
    if isinstance(widget, QAbstractSpinBox):
        return _too_small(widget, widget.minimumSizeHint())
    if isinstance(widget, QLineEdit):
        return _why_field_cut(widget)
    if isinstance(widget, QHeaderView):
        return _why_header_cut(widget)
    return ""


def _clipped(widget: QWidget) -> str:
    """Say whether a widget with words reaches out of what it lies in."""
    if not isinstance(widget, (QLabel, QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox)) or not _text(widget):
        return ""
    parent = widget.parentWidget()
    if parent is None or widget.isWindow():
        return ""
    outside = not parent.rect().adjusted(-1, -1, 1, 1).contains(widget.geometry())
    return f"reaches out of its place, {widget.geometry()} in {parent.rect()}" if outside else ""


def _in_scroll_area(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    return parent is not None and isinstance(parent.parentWidget(), QAbstractScrollArea)


def _why_label_cut(label: QLabel) -> str:
    if not label.text() or label.toolTip() == label.text():
        return ""
    flags = int(label.alignment()) | (Qt.TextFlag.TextWordWrap.value if label.wordWrap() else 0)
    flags |= Qt.TextFlag.TextShowMnemonic.value if label.buddy() is not None else 0
    room = label.contentsRect()
    needed = label.fontMetrics().boundingRect(QRect(0, 0, room.width(), 100_000), flags, label.text())
    if needed.width() > room.width() + 1 or needed.height() > room.height() + 2:
        return f"needs {needed.width()}x{needed.height()}, has {room.width()}x{room.height()}"
    return ""


def _why_button_cut(button: QPushButton | QToolButton) -> str:
    shows_icon_only = isinstance(button, QToolButton) and (
        button.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly and not button.icon().isNull()
    )
    if not button.text() or shows_icon_only:
        return ""
    needed = button.sizeHint()
    if button.hasHeightForWidth():
        return _too_small(button, QSize(button.minimumSizeHint().width(), button.heightForWidth(button.width())))
    if isinstance(button, QPushButton):
        option = QStyleOptionButton()
        button.initStyleOption(option)
        text = button.fontMetrics().size(Qt.TextFlag.TextShowMnemonic.value, button.text())
        room = button.style().subElementRect(QStyle.SubElement.SE_PushButtonContents, option, button)
        icon = button.iconSize().width() + 4 if not button.icon().isNull() else 0
        if text.width() + icon <= room.width() + 1 and text.height() <= room.height() + 1:
            return ""
    return _too_small(button, needed)


def _too_small(widget: QWidget, needed: QSize) -> str:
    if widget.width() + 1 < needed.width() or widget.height() + 1 < needed.height():
        return f"needs {needed.width()}x{needed.height()}, has {widget.width()}x{widget.height()}"
    return ""


def _why_tabs_cut(bar: QTabBar) -> str:
    for tab in range(bar.count()):
        if bar.isTabVisible(tab) and not bar.tabToolTip(tab):
            text = bar.fontMetrics().size(Qt.TextFlag.TextShowMnemonic.value, bar.tabText(tab)).width()
            if bar.tabRect(tab).width() < text or bar.tabRect(tab).right() > bar.width():
                return f"the tab {bar.tabText(tab)!r} is cut"
    return ""


def _why_combo_cut(box: QComboBox) -> str:
    if box.toolTip():
        return ""
    text = box.fontMetrics().horizontalAdvance(box.currentText())
    arrow = 28
    return f"needs {text + arrow}, has {box.width()}" if text + arrow > box.width() + 1 else ""


def _why_field_cut(field: QLineEdit) -> str:
    if isinstance(field.parentWidget(), (QAbstractSpinBox, QComboBox)) or field.text() or field.toolTip():
        return ""
    needed = field.fontMetrics().horizontalAdvance(field.placeholderText())
    return f"the words in it need {needed}, have {field.width()}" if needed > field.width() - 12 else ""


def _why_header_cut(header: QHeaderView) -> str:
    model = header.model()
    if model is None or header.orientation() != Qt.Orientation.Horizontal:
        return ""
    for section in range(header.count()):
        if not header.isSectionHidden(section):
            text = str(model.headerData(section, Qt.Orientation.Horizontal) or "")
            if header.fontMetrics().horizontalAdvance(text) > header.sectionSize(section):
                return f"the heading {text!r} is cut"
    return ""

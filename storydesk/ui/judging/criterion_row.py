"""One criterion of a rating: its name and value, and, while it is asked, its question and a sentence for each point."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from storydesk.domain.judging import LEAST, CriterionGuide
from storydesk.ui.theme import SPACE_S, SPACE_XS, WrapButton, icon, make_label, set_role


class CriterionRow(QWidget):
    """Folded to a line unless it is the one that is asked. GUI thread."""

    chosen = Signal(int)
    """A point of the scale."""
    wanted = Signal()
    """The rater wants to be asked this now."""

    def __init__(self, guide: CriterionGuide, parent: QWidget | None = None) -> None:
        """Begin folded and without a value."""
        super().__init__(parent)
        self.guide = guide
        self.value: int | None = None
        self.head = QPushButton(icon("circle"), guide.name)
        self.head.setFlat(True)
        set_role(self.head, "flat")
        self.head.setCheckable(True)
        self.head.clicked.connect(self._on_head)
        self.mark = make_label("", "chip-accent", wrap=False)
        self.mark.hide()
        self.question = make_label(guide.question)
        self.points = [self._make_point(value, anchor) for value, anchor in enumerate(guide.anchors, start=LEAST)]
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.head)
        line.addStretch(1)
        line.addWidget(self.mark)
        self.inside = QWidget()
        points = QVBoxLayout(self.inside)
        points.setContentsMargins(SPACE_S, 0, 0, SPACE_S)
        points.setSpacing(SPACE_XS)
        points.addWidget(self.question)
        for point in self.points:
            points.addWidget(point)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_XS)
        column.addLayout(line)
        column.addWidget(self.inside)
        self.show_value(None)
        self.unfold(False)

    def unfold(self, open_: bool) -> None:
        """Show question and points, or the name only."""
        self.inside.setVisible(open_)
        self.head.setChecked(open_)

    def show_value(self, value: int | None) -> None:
        """Show what was said, None for nothing yet."""
        self.value = value
        for number, point in enumerate(self.points, start=LEAST):
            point.setChecked(number == value)
        self.mark.setText(str(value) if value is not None else "")
        self.mark.setVisible(value is not None)
        self.head.setIcon(icon("check-circle" if value is not None else "circle"))
        given = self.tr("{name}: {value} of 5") if value is not None else self.tr("{name}: not rated yet")
        self.head.setAccessibleName(given.format(name=self.guide.name, value=value))

    def _make_point(self, value: int, anchor: str) -> WrapButton:
        point = WrapButton(f"{value}   {anchor}", leading=True)
        point.setCheckable(True)
        point.setAccessibleName(self.tr("{value}: {words}").format(value=value, words=anchor))
        point.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        point.clicked.connect(lambda: self.chosen.emit(value))
        return point

    def _on_head(self) -> None:
        self.head.setChecked(True)
        self.wanted.emit()

"""The line that says which of the four steps is shown."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QLabel, QWidget

from storydesk.ui.theme import SPACE_S, FlowLayout, make_label, set_role


class StepLine(QWidget):
    """Numbered names side by side, the current one marked by a soft ground and told to screen readers. GUI thread."""

    def __init__(self, names: Sequence[str], parent: QWidget | None = None) -> None:
        """Mark the first step."""
        super().__init__(parent)
        self._names = list(names)
        self._labels: list[QLabel] = []
        row = FlowLayout(self, space=SPACE_S)
        for number, name in enumerate(names, 1):
            label = make_label(f"{number}  {name}", "chip", wrap=False)
            self._labels.append(label)
            row.add(label)
        self.mark(0)

    def mark(self, current: int) -> None:
        """Mark a step."""
        for place, label in enumerate(self._labels):
            set_role(label, "chip-accent" if place == current else "step")
        said = self.tr("Step {number} of {count}: {name}")
        self.setAccessibleName(said.format(number=current + 1, count=len(self._names), name=self._names[current]))

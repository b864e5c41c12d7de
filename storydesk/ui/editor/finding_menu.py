"""The small menu at an underlined word: what was found, fixes, ignore, learn."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from storydesk.domain.polishing import Category, Finding
from storydesk.ui.sentences import say_category, say_message
from storydesk.ui.theme import icon

MOST_FIXES = 6
LONGEST_MESSAGE = 90


def fill_finding_menu(
    menu: QMenu,
    finding: Finding,
    *,
    accept: Callable[[str], None],
    ignore: Callable[[], None],
    ignore_rule: Callable[[], None],
    learn: Callable[[], None],
    before: QAction | None = None,
) -> None:
    """Put a finding's fixes into a menu, in front of ``before`` where that is given."""
    message = say_message(finding.message)
    message = message if len(message) <= LONGEST_MESSAGE else message[:LONGEST_MESSAGE] + "…"
    head = QAction(f"{say_category(finding.category)}: {message}", menu)
    head.setEnabled(False)
    actions = [head]
    for suggestion in finding.suggestions[:MOST_FIXES]:
        fix = QAction(icon("check", "accent"), suggestion or _tr("Leave it out"), menu)
        fix.triggered.connect(lambda _checked=False, suggestion=suggestion: accept(suggestion))
        actions.append(fix)
    line = QAction(menu)
    line.setSeparator(True)
    ignored = QAction(icon("eye-slash"), _tr("Ignore"), menu)
    ignored.triggered.connect(lambda _checked=False: ignore())
    rule = QAction(icon("prohibit"), _tr("Never say this about this story"), menu)
    rule.triggered.connect(lambda _checked=False: ignore_rule())
    actions += [line, ignored, rule]
    if finding.category is Category.SPELLING:
        learned = QAction(icon("book-bookmark"), _tr("Learn this word"), menu)
        learned.triggered.connect(lambda _checked=False: learn())
        actions.append(learned)
    if before is None:
        menu.addActions(actions)
    else:
        menu.insertActions(before, actions)
        menu.insertSeparator(before)


def pop_up_finding_menu(
    parent: QWidget,
    finding: Finding,
    place: QPoint,
    *,
    accept: Callable[[str], None],
    ignore: Callable[[], None],
    ignore_rule: Callable[[], None],
    learn: Callable[[], None],
) -> QMenu:
    """Show the menu at a place on the screen; the first fix is chosen, so Return takes it."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    fill_finding_menu(menu, finding, accept=accept, ignore=ignore, ignore_rule=ignore_rule, learn=learn)
    menu.popup(place)
    first = next((action for action in menu.actions() if action.isEnabled()), None)
    if first is not None:
        menu.setActiveAction(first)
    return menu


def _tr(text: str) -> str:
    return QCoreApplication.translate("FindingMenu", text)

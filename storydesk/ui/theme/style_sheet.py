"""The one style sheet, built from tokens.

A widget asks for a look by its role (``set_role(widget, "primary")``):

- buttons: ``primary`` (the one main action of a place), ``flat`` (bars, icons; checked ones turn soft), none (outlined)
- labels: ``title``, ``heading``, ``muted``, ``chip``, ``chip-accent``, ``step`` (not the current one), ``problem``
- frames: ``bar`` (line below), ``status`` (line above), ``side`` (line right), ``partner`` (line left), ``card``,
  ``page`` (the page's colour, no line), ``notice``
- fields: ``page`` on a text edit takes its frame away
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from storydesk.ui.theme.tokens import CARD_RADIUS, RADIUS, SPACE_M, SPACE_S, SPACE_XL, SPACE_XS, Tokens, mix

MARKS: Final = Path(__file__).parent / "marks"
"""Carets and check marks, drawn once per theme: a style sheet can't colour an image."""


def build_style_sheet(tokens: Tokens, text: int, *, still: bool = False) -> str:
    """Return the style sheet; ``text`` is the interface's middle size in pixels, ``still`` forbids animations."""
    return "\n".join(
        (
            "* { widget-animation-duration: 0; }" if still else "",
            _surfaces(tokens),
            _labels(tokens, text),
            _buttons(tokens),
            _fields(tokens),
            _choices(tokens),
            _rest(tokens, text),
        )
    )


def _surfaces(t: Tokens) -> str:
    return f"""
QMainWindow, QDialog {{ background: {t.window}; }}
QFrame[role="bar"], QFrame[role="status"], QFrame[role="side"], QFrame[role="partner"], QFrame[role="notice"] {{
  background: {t.panel}; border: 0px solid {t.line}; }}
QFrame[role="bar"] {{ border-bottom-width: 1px; }}
QFrame[role="status"] {{ border-top-width: 1px; }}
QFrame[role="side"] {{ border-right-width: 1px; }}
QFrame[role="partner"] {{ border-left-width: 1px; }}
QFrame[role="notice"] {{ background: {t.accent_soft}; border-bottom-width: 1px; }}
QFrame[role="page"], QWidget[role="page"] {{ background: {t.page}; border: none; }}
QFrame[role="card"] {{ background: {t.page}; border: 1px solid {t.line}; border-radius: {CARD_RADIUS}px; }}
QFrame[role="card"]:focus {{ border: 2px solid {t.accent}; }}
QScrollArea {{ background: transparent; border: none; }}
QScrollArea > QWidget > QWidget#scrolled {{ background: transparent; }}
QToolTip {{ background: {t.page}; color: {t.ink}; border: 1px solid {t.line}; padding: {SPACE_XS}px; }}
"""


def _labels(t: Tokens, text: int) -> str:
    chip = t.page if _loud(t) else mix(t.panel, t.line, 0.6)
    return f"""
QLabel[role="title"] {{ font-size: {text + 7}px; font-weight: 600; }}
QLabel[role="heading"] {{ font-size: {text + 1}px; font-weight: 600; }}
QLabel[role="muted"] {{ color: {t.muted}; font-size: {text - 1}px; }}
QLabel[role="problem"] {{ color: {t.problem}; }}
QLabel[role="step"] {{ color: {t.muted}; border: 1px solid transparent; }}
QLabel[role="chip"], QLabel[role="chip-accent"], QLabel[role="step"] {{
  font-size: {text - 1}px; border-radius: {RADIUS}px; padding: {SPACE_XS - 1}px {SPACE_S}px; }}
QLabel[role="chip"] {{ background: {chip}; border: 1px solid {t.line if _loud(t) else chip}; }}
QLabel[role="chip-accent"] {{ background: {t.accent_soft}; border: 1px solid {t.accent_soft}; }}
"""


def _buttons(t: Tokens) -> str:
    hover = mix(t.page, t.line, 0.35)
    return f"""
QPushButton, QToolButton {{ background: {t.page}; color: {t.ink}; border: 1px solid {t.line};
  border-radius: {RADIUS}px; padding: {SPACE_S - 2}px {SPACE_M}px; }}
QToolButton {{ padding: {SPACE_S - 2}px; }}
QPushButton:hover, QToolButton:hover {{ background: {hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {t.line}; color: {t.ink if not _loud(t) else t.window}; }}
QPushButton:focus, QToolButton:focus {{ border: 2px solid {t.accent}; padding: {SPACE_S - 3}px {SPACE_M - 1}px; }}
QToolButton:focus {{ padding: {SPACE_S - 3}px; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.disabled}; background: transparent; }}
QPushButton[role="flat"], QToolButton[role="flat"] {{ background: transparent; border-color: transparent;
  padding: {SPACE_S - 2}px {SPACE_S}px; }}
QPushButton[role="flat"]:hover, QToolButton[role="flat"]:hover {{ background: {hover}; }}
QPushButton[role="flat"]:focus, QToolButton[role="flat"]:focus {{ border: 2px solid {t.accent};
  padding: {SPACE_S - 3}px {SPACE_S - 1}px; }}
QPushButton:checked, QToolButton:checked {{ background: {t.accent_soft}; border-color: {t.accent_soft}; }}
QPushButton:checked:disabled, QToolButton:checked:disabled {{ background: transparent; border-color: {t.line}; }}
QPushButton:checked:focus, QToolButton:checked:focus {{ border-color: {t.accent}; }}
QPushButton[role="primary"], QToolButton[role="primary"] {{ background: {t.accent}; color: {t.on_accent};
  border-color: {t.accent}; font-weight: 600; }}
QPushButton[role="primary"]:hover, QToolButton[role="primary"]:hover {{ background: {mix(t.accent, t.ink, 0.12)}; }}
QPushButton[role="primary"]:focus, QToolButton[role="primary"]:focus {{ border: 2px solid {t.ink}; }}
QPushButton[role="primary"]:disabled, QToolButton[role="primary"]:disabled {{ background: transparent;
  color: {t.disabled}; border: 1px solid {t.line}; }}
"""


def _fields(t: Tokens) -> str:
    return f"""
QLineEdit, QPlainTextEdit, QTextEdit, QTextBrowser {{ background: {t.page}; color: {t.ink};
  border: 1px solid {t.line}; border-radius: {RADIUS}px; padding: {SPACE_S - 2}px {SPACE_S}px;
  selection-background-color: {t.accent}; selection-color: {t.on_accent}; placeholder-text-color: {t.muted}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QTextBrowser:focus {{ border: 2px solid {t.accent};
  padding: {SPACE_S - 3}px {SPACE_S - 1}px; }}
QLineEdit:disabled, QPlainTextEdit:disabled, QTextEdit:disabled {{ color: {t.disabled}; background: transparent; }}
QTextEdit[role="page"], QPlainTextEdit[role="page"], QTextBrowser[role="page"] {{ border: none; padding: 0px;
  border-radius: 0px; }}
"""


def _choices(t: Tokens) -> str:
    boxes = ("QComboBox", "QSpinBox", "QDoubleSpinBox")
    box, focused, inner = (", ".join(f"{kind}{rest}" for kind in boxes) for rest in ("", ":focus", " QLineEdit"))
    return f"""
{box} {{ background: {t.page}; color: {t.ink}; border: 1px solid {t.line}; border-radius: {RADIUS}px;
  padding: {SPACE_S - 2}px {SPACE_S}px; selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
{focused} {{ border: 2px solid {t.accent}; padding: {SPACE_S - 3}px {SPACE_S - 1}px; }}
{inner}, {inner.replace("QLineEdit", "QLineEdit:focus")} {{ border: none; padding: 0px; background: transparent; }}
QComboBox:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled {{ color: {t.disabled}; background: transparent; }}
QComboBox::drop-down {{ border: none; width: {SPACE_XL}px; }}
QComboBox::down-arrow, QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{ image: url("{_mark("caret-down", t)}");
  width: 12px; height: 12px; }}
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: url("{_mark("caret-up", t)}"); width: 12px; height: 12px; }}
QSpinBox::up-button, QDoubleSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::down-button {{
  border: none; background: transparent; width: {SPACE_XL - 2}px; }}
QComboBox QAbstractItemView {{ background: {t.page}; border: 1px solid {t.line}; }}
QCheckBox, QRadioButton {{ spacing: {SPACE_S}px; padding: 2px; border: 2px solid transparent;
  border-radius: {RADIUS - 2}px; }}
QCheckBox:focus, QRadioButton:focus {{ border-color: {t.accent}; }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {t.disabled}; }}
QCheckBox::indicator, QListView::indicator, QTableView::indicator, QRadioButton::indicator {{ width: 14px; height: 14px;
  border: 1px solid {t.muted}; background: {t.page}; }}
QCheckBox::indicator, QListView::indicator, QTableView::indicator {{ border-radius: 4px; }}
QRadioButton::indicator {{ border-radius: 8px; }}
QCheckBox::indicator:checked, QListView::indicator:checked, QTableView::indicator:checked {{
  background: {t.accent}; border-color: {t.accent};
  image: url("{_mark("check", t)}"); }}
QRadioButton::indicator:checked {{ width: 6px; height: 6px; border: 5px solid {t.accent}; background: {t.on_accent}; }}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ border-color: {t.disabled}; }}
"""


def _rest(t: Tokens, text: int) -> str:
    handle = mix(t.line, t.ink, 0.25)
    return f"""
QListView, QTreeView, QTableView {{ background: transparent; border: none; outline: 0; font-size: {text}px;
  selection-background-color: transparent; selection-color: {t.ink}; }}
QListView::item, QTreeView::item, QTableView::item {{ padding: {SPACE_XS}px; color: {t.ink};
  border: 1px solid transparent; border-radius: {RADIUS - 2}px; }}
QListView::item:hover, QTreeView::item:hover {{ background: {mix(t.panel, t.line, 0.4)}; }}
QListView::item:selected, QTreeView::item:selected, QTableView::item:selected {{ background: {t.accent_soft};
  color: {t.ink}; }}
QListView::item:focus, QTreeView::item:focus {{ border: 1px solid {t.accent}; }}
QTreeView::branch {{ background: transparent; }}
QHeaderView {{ background: transparent; border: none; }}
QHeaderView::section {{ background: transparent; color: {t.muted}; border: none; padding: {SPACE_XS}px; }}
QMenu {{ background: {t.page}; border: 1px solid {t.line}; border-radius: {RADIUS}px; padding: {SPACE_XS}px; }}
QMenu::item {{ padding: {SPACE_S - 2}px {SPACE_M}px; border-radius: {RADIUS - 2}px; color: {t.ink}; }}
QMenu::item:selected {{ background: {t.accent_soft}; }}
QMenu::item:disabled {{ color: {t.disabled}; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: {SPACE_XS}px {SPACE_S}px; }}
QMenu::icon {{ padding-left: {SPACE_S}px; }}
QProgressBar {{ background: {mix(t.panel, t.line, 0.9) if not _loud(t) else "#4D4D4D"}; border: none;
  border-radius: 3px; max-height: 6px; min-height: 6px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
QSlider:horizontal {{ min-height: {SPACE_XL}px; }}
QSlider::groove:horizontal {{ height: 4px; background: {t.line}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {t.accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -7px 0; border-radius: 9px;
  background: {t.page}; border: 2px solid {t.accent}; }}
QSlider::handle:horizontal:focus {{ background: {t.accent}; }}
QSlider::handle:horizontal:disabled {{ border-color: {t.disabled}; }}
QTabWidget::pane {{ border: none; border-top: 1px solid {t.line}; }}
QTabWidget::tab-bar {{ left: 0px; }}
QTabBar::tab {{ background: transparent; color: {t.muted}; padding: {SPACE_S}px {SPACE_M}px; margin-right: {SPACE_XS}px;
  border: 2px solid transparent; border-radius: {RADIUS - 2}px; }}
QTabBar::tab:selected {{ color: {t.ink}; background: {t.accent_soft}; }}
QTabBar::tab:hover {{ color: {t.ink}; }}
QTabBar::tab:focus {{ border-color: {t.accent}; }}
QSplitter::handle {{ background: {t.line}; width: 1px; height: 1px; }}
QScrollBar:vertical {{ width: 10px; background: transparent; margin: 0px; }}
QScrollBar:horizontal {{ height: 10px; background: transparent; margin: 0px; }}
QScrollBar::handle {{ background: {handle}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: 28px; }}
QScrollBar::handle:horizontal {{ min-width: 28px; }}
QScrollBar::handle:hover {{ background: {t.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0px; height: 0px; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def _mark(name: str, t: Tokens) -> str:
    return (MARKS / f"{name}-{t.name}.svg").as_posix()


def _loud(t: Tokens) -> bool:
    """Return whether lines are as strong as text, as in the contrast theme."""
    return t.line == t.ink

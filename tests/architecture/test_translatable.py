"""Every visible string can be translated: it goes through tr() or translate() as a literal that lupdate finds."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("storydesk/ui", "storydesk/bridge")

SHOWN = {
    "setText": 0,
    "setToolTip": 0,
    "setPlaceholderText": 0,
    "setAccessibleName": 0,
    "setAccessibleDescription": 0,
    "setWindowTitle": 0,
    "setTitle": 0,
    "setStatusTip": 0,
    "setWhatsThis": 0,
    "setInformativeText": 0,
    "setSuffix": 0,
    "setPrefix": 0,
    "setSpecialValueText": 0,
    "setHeaderLabels": 0,
    "setHorizontalHeaderLabels": 0,
    "addAction": 0,
    "addButton": 0,
    "addItem": 0,
    "addMenu": 0,
    "addSection": 0,
    "addTab": 1,
    "setTabText": 1,
    "QAction": 0,
    "QCheckBox": 0,
    "QGroupBox": 0,
    "QLabel": 0,
    "QListWidgetItem": 0,
    "QPushButton": 0,
    "QRadioButton": 0,
    "QTableWidgetItem": 0,
    "QTreeWidgetItem": 0,
    "WrapButton": 0,
    "make_label": 0,
    "set_hint": 1,
    "add_row": 1,
}
"""What shows a text to the writer, and which of its arguments that is."""

NO_WORDS = re.compile(r"[^A-Za-z]*|Storydesk|[A-Z]\d?", re.DOTALL)
"""Texts that are the same in every language."""

_spec = importlib.util.spec_from_file_location("translations", ROOT / "packaging" / "translations.py")
assert _spec is not None
assert _spec.loader is not None
translations = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(translations)


def _files() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _literals(node: ast.expr) -> Iterator[str]:
    """Return the texts that stand in an argument as they will be shown, without those that go through tr()."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.Constant):
                yield str(part.value)
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)
    elif isinstance(node, ast.BinOp):
        yield from _literals(node.left)
        yield from _literals(node.right)
    elif isinstance(node, (ast.List, ast.Tuple)):
        for each in node.elts:
            yield from _literals(each)


def test_no_shown_text_passes_the_translators_by() -> None:
    untranslated = [
        f"{path.name}:{call.lineno} {_name(call)}({text!r})"
        for path in _files()
        for call in _calls(path)
        if _name(call) in SHOWN and len(call.args) > SHOWN[_name(call)]
        for text in _literals(call.args[SHOWN[_name(call)]])
        if NO_WORDS.fullmatch(text) is None
    ]
    assert not untranslated, "\n".join(untranslated)


def test_what_is_translated_is_a_literal_that_can_be_found() -> None:
    hidden = []
    for path in _files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        inside = {id(call) for each in functions if translations.wrapper_context(each) for call in ast.walk(each)}
        for call in _calls(path, tree):
            if _name(call) not in ("tr", "translate"):
                continue
            words = call.args[:1] if _name(call) == "tr" else call.args[:2]
            if _name(call) == "tr" and ast.unparse(call.func) != "self.tr":
                hidden.append(f"{path.name}:{call.lineno} only self.tr has a context that lupdate knows")
            is_ours = _name(call) == "tr" or ast.unparse(call.func) == "QCoreApplication.translate"
            literal = all(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in words)
            from_table = ast.unparse(call).startswith("QCoreApplication.translate('Actions', ")
            if is_ours and words and not literal and not from_table and id(call) not in inside:
                hidden.append(f"{path.name}:{call.lineno} {ast.unparse(call)[:80]}")
    assert not hidden, "\n".join(hidden)


@pytest.mark.skipif(translations.find_tool("pyside6-lupdate") is None, reason="Qt's translation tools are not here")
def test_a_translation_can_be_begun_and_built(tmp_path: Path) -> None:
    target = tmp_path / "storydesk_de.ts"
    translations.collect(target)
    messages = [each.findtext("source") for each in ElementTree.parse(target).iter("message")]
    assert {"Next grammar note", "Keep learning", "Title of the story"} <= set(messages)
    assert not [each for each in messages if each is None or not each.strip()]


@pytest.mark.skipif(translations.find_tool("pyside6-lupdate") is None, reason="Qt's translation tools are not here")
def test_english_has_both_forms_of_every_number(tmp_path: Path) -> None:
    target = tmp_path / "storydesk_en.ts"
    translations.collect(target, plural_only=True)
    wanted = _messages(target)
    kept = _messages(translations.FOLDER / "storydesk_en.ts")
    hint = "run: python packaging/translations.py update en, fill in the forms, then: … release"
    assert set(wanted) == set(kept), hint
    assert not [name for name, forms in kept.items() if len(forms) != 2 or not all(forms)], hint
    assert (translations.FOLDER / "storydesk_en.qm").is_file()


def _messages(path: Path) -> dict[tuple[str, str], list[str]]:
    """Return the forms of every message by context and source."""
    return {
        (context.findtext("name") or "", message.findtext("source") or ""): [
            form.text or "" for form in message.iter("numerusform")
        ]
        for context in ElementTree.parse(path).iter("context")
        for message in context.iter("message")
    }


def _calls(path: Path, tree: ast.Module | None = None) -> Iterator[ast.Call]:
    for node in ast.walk(tree or ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node

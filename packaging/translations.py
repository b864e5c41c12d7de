"""Make and build translations of the window.

    python packaging/translations.py update de     # collects every text into resources/i18n/storydesk_de.ts
    python packaging/translations.py release       # makes the .qm files that the program reads

Between the two a translator fills the .ts file, best with Qt Linguist (``pyside6-linguist``). ``update`` may be run
again at any time: what is translated stays. ``storydesk_en.ts`` holds the English plural forms and nothing else.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (ROOT / "storydesk" / "ui", ROOT / "storydesk" / "bridge")
FOLDER = ROOT / "resources" / "i18n"


def find_tool(name: str) -> Path | None:
    """Return one of PySide6's tools beside this interpreter, None where it is not installed."""
    for candidate in (name, f"{name}.exe"):
        path = Path(sys.executable).parent / candidate
        if path.exists():
            return path
    return None


def find_wrapped(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Return context and text of every call of a function like ``def _tr(text): return translate("Context", text)``.

    lupdate sees literals only where ``translate`` itself is called, so these are handed to it separately.
    """
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    contexts = {function.name: context for function in functions if (context := wrapper_context(function))}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in contexts and call.args:
            text = call.args[0]
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield contexts[call.func.id], text.value


def find_plurals(tree: ast.Module) -> Iterator[tuple[str, str, ast.expr]]:
    """Return context, text and function of every ``translate(context, text, "", number)``.

    lupdate sees the call in Python but not its number, so that the forms would be asked of nobody.
    """
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] == "translate" and len(call.args) > 3:
            context, text = (each.value if isinstance(each, ast.Constant) else None for each in call.args[:2])
            if isinstance(context, str) and isinstance(text, str):
                yield context, text, call.func


def hide_plurals(source: str, tree: ast.Module) -> str:
    """Return a source in which lupdate finds no ``translate`` with a number."""
    lines = source.encode("utf-8").splitlines(keepends=True)
    for _context, _text, function in find_plurals(tree):
        row, end = (function.end_lineno or 1) - 1, function.end_col_offset or 0
        lines[row] = lines[row][: end - len("translate")] + b"countable" + lines[row][end:]
    return b"".join(lines).decode("utf-8")


def wrapper_context(node: ast.FunctionDef) -> str:
    """Return the context of a function that translates its argument, empty for any other function."""
    if not isinstance(node.body[-1], ast.Return):
        return ""
    for call in ast.walk(node.body[-1]):
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] in ("translate", "QT_TRANSLATE_NOOP"):
            context = call.args[0]
            if isinstance(context, ast.Constant) and isinstance(call.args[1], ast.Name):
                return str(context.value)
    return ""


def collect(target: Path, *, plural_only: bool = False) -> None:
    """Bring a .ts file up to date with the source; CalledProcessError where lupdate fails."""
    lupdate = find_tool("pyside6-lupdate")
    if lupdate is None:
        raise FileNotFoundError("pyside6-lupdate is not installed: pip install PySide6")
    files = sorted(path for source in SOURCES for path in source.rglob("*.py"))
    with tempfile.TemporaryDirectory() as folder:
        tables, plurals = Path(folder) / "tables.py", Path(folder) / "plurals.cpp"
        wrapped: set[tuple[str, str]] = set()
        counted: set[tuple[str, str]] = set()
        read: list[Path] = []
        for number, path in enumerate(files):
            source = path.read_text(encoding="utf-8")
            tree = ast.parse(source)
            wrapped.update(find_wrapped(tree))
            found = {(context, text) for context, text, _ in find_plurals(tree)}
            counted |= found
            read.append(Path(folder) / f"source_{number}.py" if found else path)
            if found:
                read[-1].write_text(hide_plurals(source, tree), encoding="utf-8")
        lines = [f"QCoreApplication.translate({_quote(context)}, {_quote(text)})" for context, text in sorted(wrapped)]
        tables.write_text("\n".join(lines), encoding="utf-8")
        # In C++ lupdate hears the number.
        calls = [
            f'QCoreApplication::translate({_quote(name)}, {_quote(text)}, "", n);' for name, text in sorted(counted)
        ]
        plurals.write_text("\n".join(("void count(int n) {", *calls, "}")), encoding="utf-8")
        options = ["-silent", "-no-obsolete", "-locations", "none", *(["-pluralonly"] if plural_only else [])]
        subprocess.run([lupdate, *options, *read, tables, plurals, "-ts", target], check=True)


def release() -> list[Path]:
    """Build every .ts file and return what was made."""
    lrelease = find_tool("pyside6-lrelease")
    if lrelease is None:
        raise FileNotFoundError("pyside6-lrelease is not installed: pip install PySide6")
    made = []
    for source in sorted(FOLDER.glob("storydesk_*.ts")):
        made.append(source.with_suffix(".qm"))
        subprocess.run([lrelease, "-silent", source, "-qm", made[-1]], check=True)
    return made


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def main() -> None:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    update = commands.add_parser("update", help="collect every text for a language")
    update.add_argument("language", help="a code such as de or pt_BR")
    commands.add_parser("release", help="build what the program reads")
    given = parser.parse_args()
    if given.command == "update":
        target = FOLDER / f"storydesk_{given.language}.ts"
        collect(target, plural_only=given.language == "en")
        print(target)
    else:
        for path in release():
            print(path)


if __name__ == "__main__":
    main()

"""The window in other languages: what a .qm file beside our sentences holds, and Qt's own words with it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

PLURALS = "en"
"""The language of the source, whose file has the plural forms and nothing else."""


def install_translations(app: QCoreApplication, folder: Path, locale: QLocale | None = None) -> list[str]:
    """Install what there is for the reader's language, English plurals below it; return the files that were found."""
    wanted = locale or QLocale()
    found = []
    for name, place in (
        (f"storydesk_{PLURALS}", str(folder)),
        ("qtbase", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)),
        ("storydesk", str(folder)),
    ):
        translator = QTranslator(app)
        is_plurals = name.endswith(PLURALS)
        loaded = translator.load(name, place) if is_plurals else translator.load(wanted, name, "_", place)
        if loaded:
            app.installTranslator(translator)
            found.append(name)
    return found

"""Makes the checkers; the composition root calls it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from storydesk.grammar.harper import HarperChecker
from storydesk.grammar.languagetool import LanguageToolChecker

CheckerFactory = Callable[[], HarperChecker | LanguageToolChecker]


def create_checkers() -> Mapping[str, CheckerFactory]:
    """Return what makes each checker by its name; nothing is loaded or started before a first check."""
    return {"harper": HarperChecker, "languagetool": LanguageToolChecker}

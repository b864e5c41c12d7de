"""The engine in use: loaded when first needed, swapped between two requests."""

from __future__ import annotations

from storydesk.domain.settings import ACTIVE_MODEL
from storydesk.domain.style_model import StyleModel
from storydesk.services.models import read_precision
from storydesk.services.ports import EngineLoader, ModelLibrary, SettingsStore, TextEngine


class EngineHost:
    """Holds one loaded engine. All methods belong to one thread (the worker's, or a command's)."""

    def __init__(self, loader: EngineLoader, models: ModelLibrary, settings: SettingsStore) -> None:
        """Remember where models come from; nothing is loaded yet."""
        self._loader = loader
        self._models = models
        self._settings = settings
        self._engine: TextEngine | None = None
        self._asked = ("", "")
        self._companion: TextEngine | None = None
        self._companion_asked = ""

    @property
    def loaded(self) -> TextEngine | None:
        """The engine that is loaded, if any; ``cancel`` on it is safe from any thread."""
        return self._engine

    def engine(self, name: str | None = None) -> TextEngine:
        """Return the engine of the named model, or of the active one; load it where it is not loaded yet."""
        wanted = name or self._settings.get(ACTIVE_MODEL)
        precision = read_precision(self._settings, wanted)
        if self._engine is not None and self._asked == (wanted, precision):
            return self._engine
        model: StyleModel = self._models.get(wanted)
        fresh = self._loader.load(model)  # the old one serves on if this fails
        self._close_first()
        # By the name that was asked for: a model that was renamed is found by the old one, too.
        self._engine, self._asked = fresh, (wanted, precision)
        return fresh

    def companion(self, name: str) -> TextEngine:
        """Return a second engine beside the one in use, to compare with; it stays until another one is asked for."""
        if self._companion is not None and self._companion_asked == name:
            return self._companion
        for each in (self._engine, self._companion):
            if each is not None and each.model.name == name:
                return each
        fresh = self._loader.load(self._models.get(name))
        self.dismiss()
        self._companion, self._companion_asked = fresh, name
        return fresh

    def dismiss(self) -> None:
        """Give back the memory of the second engine."""
        if self._companion is not None:
            self._companion.close()
            self._companion = None

    def close(self) -> None:
        """Give back the memory of the loaded engines."""
        self.dismiss()
        self._close_first()

    def _close_first(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

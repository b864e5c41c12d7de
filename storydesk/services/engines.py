"""The engine in use: loaded when first needed, swapped between two requests."""

from __future__ import annotations

from storydesk.domain.settings import ACTIVE_MODEL
from storydesk.domain.style_model import StyleModel
from storydesk.services.ports import EngineLoader, ModelLibrary, SettingsStore, TextEngine


class EngineHost:
    """Holds one loaded engine. All methods belong to one thread (the worker's, or a command's)."""

    def __init__(self, loader: EngineLoader, models: ModelLibrary, settings: SettingsStore) -> None:
        """Remember where models come from; nothing is loaded yet."""
        self._loader = loader
        self._models = models
        self._settings = settings
        self._engine: TextEngine | None = None

    @property
    def loaded(self) -> TextEngine | None:
        """The engine that is loaded, if any; ``cancel`` on it is safe from any thread."""
        return self._engine

    def engine(self, name: str | None = None) -> TextEngine:
        """Return the engine of the named model, or of the active one; load it where it is not loaded yet."""
        wanted = name or self._settings.get(ACTIVE_MODEL)
        if self._engine is not None and self._engine.model.name == wanted:
            return self._engine
        model: StyleModel = self._models.get(wanted)
        fresh = self._loader.load(model)  # the old one serves on if this fails
        self.close()
        self._engine = fresh
        return fresh

    def close(self) -> None:
        """Give back the memory of the loaded engine."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

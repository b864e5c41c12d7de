"""Every setting, declared once: name, kind, default, limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from storydesk.domain.smart_typing import MANNERS

Value = str | int | float | bool
V = TypeVar("V", str, int, float, bool)


@dataclass(frozen=True, slots=True)
class Setting(Generic[V]):
    """One setting; ``low`` and ``high`` bound numbers, ``choices`` bounds words."""

    key: str
    default: V
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def accept(self, value: object) -> V:
        """Return the value brought into its limits, or the default where the kind is wrong."""
        kind = type(self.default)
        if isinstance(value, bool) is not isinstance(self.default, bool):
            return self.default
        if kind is float and isinstance(value, int):
            value = float(value)
        if not isinstance(value, kind):
            return self.default
        if self.choices and value not in self.choices:
            return self.default
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            bounded: int | float = value
            if self.low is not None:
                bounded = max(bounded, kind(self.low))
            if self.high is not None:
                bounded = min(bounded, kind(self.high))
            return kind(bounded)
        return value


ACTIVE_MODEL = Setting("model.active", "starter")
THEME = Setting("look.theme", "system", choices=("system", "light", "dark", "contrast"))
INTERFACE_PERCENT = Setting("look.interface_percent", 100, low=80, high=300)
LESS_MOTION = Setting("look.less_motion", False)
PAGE_FONT = Setting("look.page_font", "")
PAGE_SIZE = Setting("look.page_size", 16, low=10, high=40)
PAGE_MEASURE = Setting("look.page_measure", 68, low=40, high=120)  # characters in a line
PAGE_LINE_HEIGHT = Setting("look.page_line_height", 1.5, low=1.0, high=2.5)
PAGE_MARGIN = Setting("look.page_margin", 40, low=12, high=160)  # pixels
TYPEWRITER = Setting("look.typewriter", False)
DIM_OTHERS = Setting("look.dim_others", False)
SMART_TYPING = Setting("write.smart_typing", True)
TYPING_LANGUAGE = Setting("write.typing_language", "story", choices=("story", *MANNERS))
MODEL_PRECISIONS = Setting("model.precisions", "")  # by model, where one was asked for: {"starter": "int4"}
WILDNESS = Setting("write.wildness", 0.5, low=0.0, high=1.0)
WORDS = Setting("write.words", 60, low=5, high=2000)
WRITING_CONTROLS = Setting("write.controls", "")  # see domain.writing_controls
POLISH_ARRIVING = Setting("write.polish", False)
CLOSENESS = Setting("write.closeness", 0.0, low=0.0, high=1.0)  # of other ways to say it: their order
GRAMMAR_LIVE = Setting("polish.live", True)
GRAMMAR_ENGINE = Setting("polish.engine", "auto", choices=("auto", "harper", "languagetool"))
PUBLISHING_PROFILES = Setting("publish.profiles", "")  # see domain.book
HEAT_KIND = Setting("insight.heat_kind", "surprise", choices=("surprise", "rank", "voice"))
HEAT_SHOWN = Setting("insight.heat_shown", False)
QUEUE_PAUSED = Setting("queue.paused", False)  # see domain.whole_story
QUEUE_WORDS = Setting("queue.words", 400, low=30, high=20_000)
SNAPSHOT_MINUTES = Setting("drafts.snapshot_minutes", 10, low=0, high=240)  # 0 takes none by itself
SNAPSHOT_WORDS = Setting("drafts.snapshot_words", 100, low=1, high=10000)
TUNING_SETTINGS = Setting("tune.settings", "")  # what was changed by hand; see domain.run_settings
DAILY_GOAL = Setting("goal.words", 500, low=0, high=50000)
GOAL_PROGRESS = Setting("goal.progress", "")  # day and words written that day: "2026-01-31 250"
LAST_STORY = Setting("window.last_story", 0, low=0)
WINDOW_GEOMETRY = Setting("window.geometry", "")
SIDE_SHOWN = Setting("window.library_shown", True)
PARTNER_SHOWN = Setting("window.partner_shown", True)
PARTNER_TAB = Setting("window.partner_tab", "write")
PLACES = Setting("window.places", "")  # where the cursor stood, draft by draft: {"12": [340, 280]}
KEYS = Setting("keys.changed", "")  # what the writer changed, by action: {"go_on": "Ctrl+J"}
PALETTE_RECENT = Setting("palette.recent", "")  # actions by name, the last used first
TOUR_SEEN = Setting("tour.seen", False)
DATA_DESK = Setting("tuning.dataset", "")  # the dataset that was open last, and the signature of what was read

ALL: tuple[Setting[str] | Setting[int] | Setting[float] | Setting[bool], ...] = (
    ACTIVE_MODEL,
    MODEL_PRECISIONS,
    THEME,
    INTERFACE_PERCENT,
    LESS_MOTION,
    PAGE_FONT,
    PAGE_SIZE,
    PAGE_MEASURE,
    PAGE_LINE_HEIGHT,
    PAGE_MARGIN,
    TYPEWRITER,
    DIM_OTHERS,
    SMART_TYPING,
    TYPING_LANGUAGE,
    WILDNESS,
    WORDS,
    WRITING_CONTROLS,
    POLISH_ARRIVING,
    CLOSENESS,
    GRAMMAR_LIVE,
    GRAMMAR_ENGINE,
    PUBLISHING_PROFILES,
    HEAT_KIND,
    HEAT_SHOWN,
    QUEUE_PAUSED,
    QUEUE_WORDS,
    SNAPSHOT_MINUTES,
    SNAPSHOT_WORDS,
    TUNING_SETTINGS,
    DAILY_GOAL,
    GOAL_PROGRESS,
    LAST_STORY,
    WINDOW_GEOMETRY,
    SIDE_SHOWN,
    PARTNER_SHOWN,
    PARTNER_TAB,
    PLACES,
    KEYS,
    PALETTE_RECENT,
    TOUR_SEEN,
    DATA_DESK,
)

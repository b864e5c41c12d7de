"""Expected failures as codes with parameters and a remedy; never sentences (see resources/i18n)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FailureCode(StrEnum):
    """Everything that may go wrong in an expected way; the parameters that its sentence needs stand behind it."""

    FILE_NOT_FOUND = "file_not_found"  # path
    FILE_NOT_READABLE = "file_not_readable"  # path, detail
    FILE_EMPTY = "file_empty"  # path
    FILE_BINARY = "file_binary"  # path
    FILE_TOO_LARGE = "file_too_large"  # path, megabytes, limit
    FILE_DAMAGED = "file_damaged"  # path, format
    FILE_EXISTS = "file_exists"  # path
    FILE_LOCKED = "file_locked"  # path
    FORMAT_UNKNOWN = "format_unknown"  # format, known
    NOT_WRITABLE = "not_writable"  # path, detail
    DISK_FULL = "disk_full"  # path
    MEMORY_FULL = "memory_full"
    TEXT_EMPTY = "text_empty"
    PASSAGE_TOO_LONG = "passage_too_long"  # words, most
    TEXT_RESCUED = "text_rescued"
    PATTERN_BAD = "pattern_bad"  # detail, place
    PATTERN_SLOW = "pattern_slow"  # seconds
    CHARACTERS_MISSING = "characters_missing"  # characters, count
    SCRIPT_NOT_SHAPED = "script_not_shaped"  # characters, count
    LOST_IMAGES = "lost_images"  # count
    LOST_TABLES = "lost_tables"  # count
    LOST_NOTES = "lost_notes"  # count
    LOST_COMMENTS = "lost_comments"  # count
    LOST_CHANGES = "lost_changes"  # count
    LOST_LINKS = "lost_links"  # count
    LOST_LISTS = "lost_lists"  # count
    LOST_STYLES = "lost_styles"
    LOST_PAGES = "lost_pages"  # count
    LOST_LAYOUT = "lost_layout"
    PROFILE_NOT_FOUND = "profile_not_found"  # name, known
    BAD_ARGUMENT = "bad_argument"  # name, value, expected
    TOO_LITTLE_FEEDBACK = "too_little_feedback"  # choices, needed, kept_aside, needed_aside
    LIBRARY_LOCKED = "library_locked"  # path
    LIBRARY_DAMAGED = "library_damaged"  # path
    LIBRARY_TOO_NEW = "library_too_new"  # path
    STORY_NOT_FOUND = "story_not_found"  # name
    MODEL_NOT_FOUND = "model_not_found"  # name
    MODEL_NAME_TAKEN = "model_name_taken"  # name
    MODEL_NAME_BAD = "model_name_bad"  # name
    MODEL_IN_USE = "model_in_use"  # name
    MODEL_BUILT_IN = "model_built_in"  # name
    MODEL_FOLDER_BAD = "model_folder_bad"  # path, detail
    MODEL_ARCHIVE_BAD = "model_archive_bad"  # path, detail
    MODEL_NO_OTHER = "model_no_other"  # name
    MODEL_DAMAGED = "model_damaged"  # name, detail
    MODEL_NOT_LOADED = "model_not_loaded"  # name, detail
    HUB_MODEL_UNKNOWN = "hub_model_unknown"  # name, known
    HUB_NOT_REACHED = "hub_not_reached"  # name
    HUB_FILE_WRONG = "hub_file_wrong"  # name
    DEVICE_FAILED = "device_failed"  # device, detail
    GRAMMAR_UNAVAILABLE = "grammar_unavailable"  # engine, detail
    GRAMMAR_LANGUAGE = "grammar_language"  # engine, language, known
    GRAMMAR_VERSION = "grammar_version"  # found, expected
    JAVA_MISSING = "java_missing"
    DISPLAY_MISSING = "display_missing"
    QUEUE_DONE = "queue_done"  # count
    SHEET_NOT_FOUND = "sheet_not_found"  # name
    SHEET_REVEALED = "sheet_revealed"  # name
    SHEET_EMPTY = "sheet_empty"
    RATING_FILE_FOREIGN = "rating_file_foreign"  # path
    RATING_FILE_CHANGED = "rating_file_changed"  # path
    RATING_FILE_VERSION = "rating_file_version"  # path, version
    RATING_SHEET_UNKNOWN = "rating_sheet_unknown"  # path
    JOB_NOT_FOUND = "job_not_found"  # name
    JOB_AT_WORK = "job_at_work"  # name
    RUN_NOT_FOUND = "run_not_found"  # name
    DATASET_NOT_FOUND = "dataset_not_found"  # name
    DATASET_NOT_READ = "dataset_not_read"  # name
    PAIR_NOT_FOUND = "pair_not_found"  # name
    FINDING_NOT_FOUND = "finding_not_found"  # name
    TRAINER_ENDED = "trainer_ended"  # exit_code, log
    TRAINER_NOT_STARTED = "trainer_not_started"  # detail
    CANCELLED = "cancelled"
    SETTINGS_DAMAGED = "settings_damaged"  # path
    UNEXPECTED = "unexpected"  # detail


Parameters = Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure as data: ``code`` is a FailureCode or a trainer's code, ``parameters`` fill its sentence.

    The remedy is the second sentence of the same code in the phrase table.
    """

    code: str
    parameters: Parameters = field(default_factory=dict)


class StorydeskError(Exception):
    """An expected failure; whoever meets the user turns it into one sentence and a remedy."""

    def __init__(self, code: FailureCode | str, **parameters: str | int | float | bool) -> None:
        """Keep the failure as data."""
        super().__init__(f"{code}: {parameters}")
        self.failure = Failure(str(code), parameters)

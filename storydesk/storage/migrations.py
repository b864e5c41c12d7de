"""The library's tables, one step a version; a step that was shipped is never changed, only followed by another."""

from __future__ import annotations

import sqlite3

STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE stories (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            title TEXT NOT NULL,
            prompt TEXT NOT NULL,
            created REAL NOT NULL,
            changed REAL NOT NULL,
            in_trash INTEGER NOT NULL DEFAULT 0)""",
        # "indexed" says whether the search index holds the text as it is now: saving must not wait for indexing.
        """CREATE TABLE drafts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            story_id INTEGER NOT NULL REFERENCES stories (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            text TEXT NOT NULL,
            created REAL NOT NULL,
            changed REAL NOT NULL,
            origin TEXT NOT NULL,
            indexed INTEGER NOT NULL DEFAULT 0)""",
        "CREATE INDEX drafts_of_story ON drafts (story_id)",
        # A seed may be wider than SQLite's integers.
        """CREATE TABLE generations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            draft_id INTEGER NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
            model TEXT NOT NULL,
            seed TEXT NOT NULL,
            prompt TEXT NOT NULL,
            settings TEXT NOT NULL,
            text TEXT NOT NULL,
            accepted INTEGER NOT NULL,
            created REAL NOT NULL)""",
        "CREATE INDEX generations_of_draft ON generations (draft_id)",
        "CREATE TABLE dictionary (word TEXT PRIMARY KEY, created REAL NOT NULL)",
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    ),
    (
        # What is set for one story alone, by name; each value is its owner's own text.
        """CREATE TABLE story_settings (
            story_id INTEGER NOT NULL REFERENCES stories (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (story_id, name))""",
    ),
    (
        # The outline. Chapters and scenes are headings and scene breaks in the text; what is kept of one is found again
        # by its title and place ("ordinal"), also when it comes back to the text ("present"). Stories stand by
        # "position", then by date.
        "ALTER TABLE stories ADD COLUMN status TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE stories ADD COLUMN target INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE stories ADD COLUMN position REAL NOT NULL DEFAULT 0",
        """CREATE TABLE story_tags (
            story_id INTEGER NOT NULL REFERENCES stories (id) ON DELETE CASCADE,
            tag TEXT NOT NULL,
            PRIMARY KEY (story_id, tag))""",
        """CREATE TABLE story_parts (
            story_id INTEGER NOT NULL REFERENCES stories (id) ON DELETE CASCADE,
            ordinal INTEGER NOT NULL,
            title TEXT NOT NULL,
            kind TEXT NOT NULL DEFAULT 'chapter',
            present INTEGER NOT NULL DEFAULT 1,
            status TEXT NOT NULL DEFAULT '',
            target INTEGER NOT NULL DEFAULT 0,
            note TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (story_id, ordinal))""",
        # How many words were written on a day.
        """CREATE TABLE writing_log (
            day TEXT NOT NULL,
            story_id INTEGER NOT NULL,
            words INTEGER NOT NULL,
            PRIMARY KEY (day, story_id))""",
        # Drafts: where one came from, and who wrote which span (JSON, saved with the text it is about).
        "ALTER TABLE drafts ADD COLUMN parent_id INTEGER REFERENCES drafts (id) ON DELETE SET NULL",
        "ALTER TABLE drafts ADD COLUMN authorship TEXT NOT NULL DEFAULT ''",
        # "rule" says why a snapshot was taken: by hand, by time, before a restore ...; the text is compressed.
        """CREATE TABLE snapshots (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            draft_id INTEGER NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            rule TEXT NOT NULL,
            words INTEGER NOT NULL,
            text BLOB NOT NULL,
            authorship TEXT NOT NULL,
            created REAL NOT NULL)""",
        "CREATE INDEX snapshots_of_draft ON snapshots (draft_id)",
        # A generation is repeated from its whole request (packed); "outcome": see domain.draft_history.
        "ALTER TABLE generations ADD COLUMN kind TEXT NOT NULL DEFAULT 'go_on'",
        "ALTER TABLE generations ADD COLUMN request TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE generations ADD COLUMN perplexity REAL NOT NULL DEFAULT 0",
        "ALTER TABLE generations ADD COLUMN outcome TEXT NOT NULL DEFAULT ''",
        # What authorship spans know a generation by.
        "ALTER TABLE generations ADD COLUMN key TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX generations_by_key ON generations (key)",
        # The lorebook; without a story an entry is for all of them. Keys and aliases are JSON lists.
        """CREATE TABLE lorebook (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            story_id INTEGER REFERENCES stories (id) ON DELETE CASCADE,
            title TEXT NOT NULL,
            text TEXT NOT NULL,
            keys TEXT NOT NULL DEFAULT '[]',
            aliases TEXT NOT NULL DEFAULT '[]',
            priority INTEGER NOT NULL DEFAULT 0,
            enabled INTEGER NOT NULL DEFAULT 1,
            always INTEGER NOT NULL DEFAULT 0,
            extra TEXT NOT NULL DEFAULT '',
            created REAL NOT NULL,
            changed REAL NOT NULL)""",
        "CREATE INDEX lorebook_of_story ON lorebook (story_id)",
        # The prompt shelf, and the queue of stories to be made of its prompts (settings and tags are JSON). "text" is
        # as far as a story has come, so that it goes on from there after a restart.
        """CREATE TABLE prompts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            text TEXT NOT NULL,
            tags TEXT NOT NULL DEFAULT '[]',
            in_trash INTEGER NOT NULL DEFAULT 0,
            created REAL NOT NULL,
            changed REAL NOT NULL)""",
        """CREATE TABLE story_queue (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            prompt TEXT NOT NULL,
            words INTEGER NOT NULL,
            settings TEXT NOT NULL,
            state TEXT NOT NULL,
            text TEXT NOT NULL DEFAULT '',
            stretches INTEGER NOT NULL DEFAULT 0,
            story_id INTEGER REFERENCES stories (id) ON DELETE SET NULL,
            model TEXT NOT NULL DEFAULT '',
            perplexity REAL NOT NULL DEFAULT 0,
            ending TEXT NOT NULL DEFAULT '',
            end_chance REAL NOT NULL DEFAULT 0,
            detail TEXT NOT NULL DEFAULT '',
            created REAL NOT NULL,
            changed REAL NOT NULL)""",
    ),
    (
        # Judging by people. A sheet's "key" is the same in every library that holds a copy; "checksum" is that of the
        # file it came in. Items have one text to rate or two to choose between.
        """CREATE TABLE rating_sheets (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            criteria TEXT NOT NULL,
            seed TEXT NOT NULL,
            is_guest INTEGER NOT NULL DEFAULT 0,
            revealed REAL NOT NULL DEFAULT 0,
            in_trash INTEGER NOT NULL DEFAULT 0,
            checksum TEXT NOT NULL DEFAULT '',
            created REAL NOT NULL)""",
        """CREATE TABLE rating_texts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            sheet_id INTEGER NOT NULL REFERENCES rating_sheets (id) ON DELETE CASCADE,
            prompt TEXT NOT NULL,
            text TEXT NOT NULL,
            contender TEXT NOT NULL,
            kind TEXT NOT NULL,
            made_by TEXT NOT NULL)""",
        "CREATE INDEX rating_texts_of_sheet ON rating_texts (sheet_id)",
        """CREATE TABLE rating_items (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            sheet_id INTEGER NOT NULL REFERENCES rating_sheets (id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            first_id INTEGER NOT NULL REFERENCES rating_texts (id) ON DELETE CASCADE,
            second_id INTEGER REFERENCES rating_texts (id) ON DELETE CASCADE,
            UNIQUE (sheet_id, key))""",
        """CREATE TABLE raters (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            is_guest INTEGER NOT NULL DEFAULT 0,
            created REAL NOT NULL)""",
        # Only ever added to: what a rater said last counts, and NULL takes back what was said before.
        """CREATE TABLE ratings (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            item_id INTEGER NOT NULL REFERENCES rating_items (id) ON DELETE CASCADE,
            rater_id INTEGER NOT NULL REFERENCES raters (id) ON DELETE CASCADE,
            criterion TEXT NOT NULL,
            value INTEGER,
            created REAL NOT NULL)""",
        "CREATE INDEX ratings_of_item ON ratings (item_id)",
        """CREATE TABLE rating_choices (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            item_id INTEGER NOT NULL REFERENCES rating_items (id) ON DELETE CASCADE,
            rater_id INTEGER NOT NULL REFERENCES raters (id) ON DELETE CASCADE,
            choice TEXT,
            why TEXT NOT NULL DEFAULT '',
            created REAL NOT NULL)""",
        "CREATE INDEX rating_choices_of_item ON rating_choices (item_id)",
        # What the writer does not want a model to learn from, by what domain.feedback knows it by.
        "CREATE TABLE feedback_left_out (key TEXT PRIMARY KEY, created REAL NOT NULL)",
    ),
)

NEWEST = len(STEPS)
"""The version that this program reads and writes; kept in SQLite's ``user_version``."""


def read_version(connection: sqlite3.Connection) -> int:
    """Return the version of an open library; 0 for a new file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a library up to NEWEST in one transaction; ``connection`` is in autocommit mode."""
    if read_version(connection) >= NEWEST:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read again: another process may have been quicker.
        for step in STEPS[read_version(connection) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {NEWEST:d}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise

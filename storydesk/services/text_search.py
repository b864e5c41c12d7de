"""Finding words and patterns in a draft: with a clock beside it, for a pattern can be asked that never ends."""

from __future__ import annotations

import regex

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.text_search import Hit, SearchQuery

MOST_SECONDS = 2.0
MOST_HITS = 50_000


def find_hits(
    text: str, query: SearchQuery, replacement: str | None = None, seconds: float = MOST_SECONDS
) -> list[Hit]:
    """Return where a text holds what is sought, in code points, at most MOST_HITS, and what would stand there instead.

    In a pattern's ``replacement``, ``\\1`` and ``\\g<name>`` are what its groups found. Other threads run meanwhile.
    Raises StorydeskError(PATTERN_BAD, PATTERN_SLOW).
    """
    if not query.words:
        return []
    flags = regex.MULTILINE | (0 if query.match_case else regex.IGNORECASE)
    try:
        pattern = regex.compile(query.pattern, flags)
        end = len(text) if query.end < 0 else min(query.end, len(text))
        found = pattern.finditer(text, query.start, end, timeout=seconds, concurrent=True)
        hits: list[Hit] = []
        for match in found:
            if match.start() == match.end():
                continue  # a pattern that may be nothing is everywhere
            put = str(match.expand(replacement)) if query.regex and replacement else replacement or ""
            hits.append(Hit(match.start(), match.end(), put))
            if len(hits) == MOST_HITS:
                break
    except regex.error as error:
        raise _explain(query, str(error.msg), error.pos) from error
    except (IndexError, KeyError, RecursionError) as error:
        raise _explain(query, str(error), None) from error
    except TimeoutError as error:
        raise StorydeskError(FailureCode.PATTERN_SLOW, seconds=seconds) from error
    return hits


def _explain(query: SearchQuery, detail: str, place: int | None) -> StorydeskError:
    shift = query.pattern.find(query.words) if query.regex else 0
    at = min(max((place or 0) - max(shift, 0), 0), len(query.words)) + 1
    return StorydeskError(FailureCode.PATTERN_BAD, detail=detail, place=at)

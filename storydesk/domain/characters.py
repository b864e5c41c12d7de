"""Characters that some files and programs can't hold."""

from __future__ import annotations

import re

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# What XML 1.0 has no way to write, lone surrogates included, and the controls that it only advises against.
_UNWRITABLE = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def mend_text(text: str) -> str:
    """Return the text as UTF-8 can keep it: halves of a character are joined, a lone half becomes U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def clean_text(text: str) -> str:
    """Return the text as any document can hold it: ``\\n`` breaks its lines, controls and lone halves are gone."""
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return _UNWRITABLE.sub("", _BREAKS.sub("\n", joined))

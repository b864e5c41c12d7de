"""Documents that are zip archives of XML: opened with limits, parsed so that nothing reaches outside or explodes."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.publishing.raw_text import LIMIT_MEGABYTES

_LARGEST = 4 * LIMIT_MEGABYTES * 1_000_000
_MOST_PARTS = 20_000
_MOST_ELEMENTS = 3_000_000
_DEEPEST = 256
_LOCKED = 0x1


class Archive:
    """The parts of one document. Any one thread."""

    def __init__(self, raw: bytes, path: Path, form: str) -> None:
        """Open it; raise StorydeskError(FILE_DAMAGED, FILE_TOO_LARGE, FILE_LOCKED)."""
        self._path, self._form = path, form
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(raw))
            self._parts = {part.filename: part for part in self._zip.infolist()}
            count = len(self._zip.infolist())
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError) as error:
            raise self.damaged() from error
        size = sum(part.file_size for part in self._parts.values())
        if size > _LARGEST or count > _MOST_PARTS:
            raise self.too_large(size)
        if any(part.flag_bits & _LOCKED for part in self._parts.values()):
            raise StorydeskError(FailureCode.FILE_LOCKED, path=str(path))

    def __contains__(self, name: str) -> bool:
        """Return whether there is a part of this name."""
        return name in self._parts

    def read(self, name: str) -> bytes:
        """Return a part; raise StorydeskError(FILE_DAMAGED, FILE_TOO_LARGE)."""
        try:
            raw = self._zip.read(self._parts[name])
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise self.damaged() from error
        if raw.count(b"<") > 2 * _MOST_ELEMENTS:
            raise self.too_large(len(raw))
        return raw

    def parse(self, name: str) -> Element:
        """Return a part's XML; raise StorydeskError(FILE_DAMAGED, FILE_TOO_LARGE)."""
        try:
            return parse_xml(self.read(name))
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise self.damaged() from error

    def damaged(self) -> StorydeskError:
        """Return what to raise for a document that is not what it should be."""
        return StorydeskError(FailureCode.FILE_DAMAGED, path=str(self._path), format=self._form)

    def too_large(self, size: int) -> StorydeskError:
        """Return what to raise for a document of ``size`` bytes that would fill the memory."""
        megabytes = max(-(-size // 1_000_000), LIMIT_MEGABYTES + 1)
        code = FailureCode.FILE_TOO_LARGE
        return StorydeskError(code, path=str(self._path), megabytes=megabytes, limit=LIMIT_MEGABYTES)


def parse_xml(raw: bytes) -> Element:
    """Return the root of an XML document; names stand as ``{namespace}name``.

    Raises ExpatError, and ValueError for what declares entities, nests deeper than any document or never ends.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    depth = count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > _DEEPEST or count > _MOST_ELEMENTS:
            raise ValueError("nested too deep, or endless")
        builder.start(_name(name), {_name(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_name(name))

    def refuse(*_: object) -> None:
        raise ValueError("entities are declared")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    handlers: dict[str, Callable[..., None]] = {"EntityDeclHandler": refuse, "ExternalEntityRefHandler": refuse}
    for handler, function in handlers.items():
        setattr(parser, handler, function)
    parser.Parse(raw, True)
    return builder.close()


def _name(name: str) -> str:
    return "{" + name if "}" in name else name

"""The part of YAML that programme files use, with the line of every value. Pure, bounded.

Mappings, lists and scalars; no anchors, aliases, tags or second documents. A plain `true`,
`false` or whole number is that, every other scalar is text: no `yes`, no octal, no timestamps.
Texts are in NFC and hold nothing that cannot be seen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from wallet.encoding.json import JsonObject
from wallet.encoding.names import is_unseen
from wallet.errors import MalformedError

MAX_FILE_BYTES: Final = 64 * 1024
MAX_NODES: Final = 4000
MAX_DEPTH: Final = 24
# Control, format, surrogate, private use, unassigned; ends of lines and paragraphs.
_HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,14})\Z")

Path = tuple[str | int, ...]


class YamlMalformed(MalformedError):
    """Not YAML of the accepted part. `line` counts from 1."""

    code = "yaml_malformed"

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.problem = message


@dataclass(frozen=True, slots=True)
class MarkedDocument:
    """A document and where its parts are; a path leads to the line that it begins on."""

    value: JsonObject
    lines: Mapping[Path, int]

    def line_of(self, path: Path) -> int:
        """Return the line of `path`, or of the nearest part around it."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


def parse_marked_yaml(data: bytes) -> MarkedDocument:
    """Return the mapping that `data` holds. Raises `YamlMalformed`."""
    if len(data) > MAX_FILE_BYTES:
        raise YamlMalformed(1, f"longer than {MAX_FILE_BYTES} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise YamlMalformed(data.count(b"\n", 0, error.start) + 1, "not UTF-8") from None
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "not YAML"
        if "expected ',' or" in problem:
            problem += "; in {…} a text with ', ' or ': ' needs quotation marks"
        raise YamlMalformed(1 if mark is None else mark.line + 1, str(problem)) from None
    if type(builder.root) is not dict:
        raise YamlMalformed(1, "expected a mapping")
    return MarkedDocument(builder.root, builder.lines)


class _Builder:
    """Builds the value from parser events, so that nesting costs no recursion."""

    def __init__(self) -> None:
        self.root: Any = None
        self.lines: dict[Path, int] = {}
        self._open: list[Any] = []
        self._path: list[str | int] = []
        self._key: list[str | None] = []
        self._nodes = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise YamlMalformed(line, "a file holds one document")
        elif isinstance(event, yaml.AliasEvent):
            raise YamlMalformed(line, "aliases are not accepted")
        elif isinstance(event, yaml.ScalarEvent):
            self._check(event, line)
            _check_text(event.value, line)
            self._scalar(event, line)
        elif isinstance(event, yaml.MappingStartEvent):
            self._begin({}, event, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._begin([], event, line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._open.pop()
            self._key.pop()
            if self._path:
                self._path.pop()

    def _check(self, event: Any, line: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise YamlMalformed(line, f"more than {MAX_NODES} values")
        if event.anchor is not None or event.tag is not None:
            raise YamlMalformed(line, "anchors and tags are not accepted")

    def _scalar(self, event: Any, line: int) -> None:
        if self._open and type(self._open[-1]) is dict and self._key[-1] is None:
            name = event.value
            if name in self._open[-1]:
                raise YamlMalformed(line, f"{name} is given twice")
            self._key[-1] = name
            self.lines[(*self._path, name)] = line
            return
        self._place(_scalar_value(event), line)
        if self._open:
            self._path.pop()

    def _begin(self, value: Any, event: Any, line: int) -> None:
        self._check(event, line)
        if len(self._open) >= MAX_DEPTH:
            raise YamlMalformed(line, f"nested deeper than {MAX_DEPTH}")
        if self._open and type(self._open[-1]) is dict and self._key[-1] is None:
            raise YamlMalformed(line, "a name is a scalar")
        self._place(value, line)
        self._open.append(value)
        self._key.append(None)

    def _place(self, value: Any, line: int) -> None:
        """Put a value into what is open, and step to its path; the caller steps back."""
        if not self._open:
            self.root = value
            self.lines[()] = line
            return
        holder = self._open[-1]
        if type(holder) is dict:
            name = self._key[-1] or ""
            holder[name] = value
            self._key[-1] = None
            self._path.append(name)
        else:
            self._path.append(len(holder))
            holder.append(value)
            self.lines[tuple(self._path)] = line


def _check_text(text: str, line: int) -> None:
    """Refuse what looks like another text: rules compare characters, and people read them."""
    if not unicodedata.is_normalized("NFC", text):
        raise YamlMalformed(line, "a text is not in Unicode form NFC: save the file composed")
    for character in text:
        if character != "\n" and (
            unicodedata.category(character) in _HIDDEN or is_unseen(character)
        ):
            raise YamlMalformed(
                line, f"U+{ord(character):04X} cannot be seen, and is not accepted"
            )


def _scalar_value(event: Any) -> str | int | bool | None:
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text in ("true", "false"):
        return text == "true"
    if text in ("", "null", "~"):
        return None
    return int(text) if _INTEGER.match(text) else text

"""Programme documents: the published JSON Schema, and problems with their file and line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from wallet.eligibility.marked_yaml import MarkedDocument, Path, YamlMalformed, parse_marked_yaml
from wallet.eligibility.schema_words import in_words, unknown_field
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError

MAX_PROBLEMS: Final = 20
MAX_MESSAGE_CHARACTERS: Final = 300


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a programme file, and where. `line` counts from 1; 0 is no file."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class ProgrammeInvalid(MalformedError):
    """A programme file is not one, or a rule in it cannot be what was meant."""

    code = "programme_invalid"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)[:MAX_PROBLEMS]
        super().__init__("; ".join(str(problem) for problem in self.problems))


class Problems:
    """Collects the problems of one document; `report` takes the path and a sentence."""

    def __init__(self, file: str, line_of: Callable[[Path], int]) -> None:
        self._file = file
        self._line_of = line_of
        self._found: dict[Problem, None] = {}

    def report(self, path: Path, message: str) -> None:
        """Note a problem at `path`."""
        shortened = message[:MAX_MESSAGE_CHARACTERS]
        self._found[Problem(self._file, self._line_of(path), shortened)] = None

    def raise_for_any(self) -> None:
        """Raise `ProgrammeInvalid` if something was noted."""
        if self._found:
            raise ProgrammeInvalid(sorted(self._found, key=lambda problem: problem.line))


def read_document(data: bytes, file: str) -> MarkedDocument:
    """Return the YAML of a programme file. Raises `ProgrammeInvalid`."""
    try:
        return parse_marked_yaml(data)
    except YamlMalformed as error:
        raise ProgrammeInvalid([Problem(file, error.line, error.problem)]) from None


@cache
def programme_schema() -> JsonObject:
    """Return the published JSON Schema of programme files."""
    data = (files("wallet.eligibility") / "programme.schema.json").read_bytes()
    schema: JsonObject = json.loads(data)
    return schema


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(programme_schema())


def check_schema(document: JsonObject, problems: Problems) -> None:
    """Report what the published schema refuses, and raise `ProgrammeInvalid` if it is anything."""
    for error in islice(_validator().iter_errors(document), MAX_PROBLEMS):
        path: Path = tuple(error.absolute_path)
        for place, message in _explained(error, path):
            problems.report(place, message)
    problems.raise_for_any()


def _explained(error: ValidationError, path: Path) -> list[tuple[Path, str]]:
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        schema: Any = error.schema
        known: dict[str, Any] = schema.get("properties", {})
        return [
            ((*path, name), unknown_field(name, known))
            for name in error.instance
            if name not in known
        ]
    name = "the file" if not path else str(path[-1])
    return [(path, in_words(error, name))]

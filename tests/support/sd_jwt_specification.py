"""The example specifications of sd-jwt-python and the IETF drafts: claims with `!sd` marks.

A mark stands on a member's name or on an element of a list. `Claims` holds the plain claims and
the paths of what is marked; `chosen` turns "what the holder discloses" into the paths to show.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Marked:
    """A value or a name under `!sd`."""

    value: Any

    def __hash__(self) -> int:
        return hash(("sd", str(self.value)))


class _Loader(yaml.SafeLoader):
    """Reads `!sd`, and dates as text."""


def _construct_sd(loader: yaml.SafeLoader, node: yaml.Node) -> Marked:
    if isinstance(node, yaml.MappingNode):
        return Marked(loader.construct_mapping(node, deep=True))
    if isinstance(node, yaml.SequenceNode):
        return Marked(loader.construct_sequence(node, deep=True))
    if isinstance(node, yaml.ScalarNode):
        resolve: Any = loader.resolve
        tag = resolve(yaml.ScalarNode, node.value, (node.style is None, False))
        plain = yaml.ScalarNode(tag, node.value, node.start_mark, node.end_mark, node.style)
        return Marked(loader.construct_object(plain))
    raise TypeError(node)


_Loader.add_constructor("!sd", _construct_sd)
_Loader.yaml_implicit_resolvers = {
    first: [item for item in items if item[0] != "tag:yaml.org,2002:timestamp"]
    for first, items in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_specification(file: Path) -> dict[str, Any]:
    """Return the specification in `file`."""
    loaded: dict[str, Any] = yaml.load(file.read_bytes(), Loader=_Loader)
    return loaded


@dataclass
class Claims:
    """Plain claims and the paths that are selectively disclosable."""

    plain: Any
    disclosable: list[Path_] = field(default_factory=list)


def unmark(value: Any) -> Claims:
    """Return the claims without their marks, and where the marks were."""
    claims = Claims(None)

    def walk(item: Any, path: Path_) -> Any:
        if isinstance(item, Marked):
            claims.disclosable.append(path)
            return walk(item.value, path)
        if isinstance(item, dict):
            result = {}
            for name, member in item.items():
                plain = name.value if isinstance(name, Marked) else name
                here = (*path, str(plain))
                if isinstance(name, Marked):
                    claims.disclosable.append(here)
                result[str(plain)] = walk(member, here)
            return result
        if isinstance(item, list):
            return [walk(member, (*path, index)) for index, member in enumerate(item)]
        return item

    claims.plain = walk(value, ())
    return claims


def chosen(frame: Any, disclosable: frozenset[Path_], path: Path_ = ()) -> set[Path_]:
    """Return the disclosable paths that the holder's frame names.

    True shows what is at a place, not what is hidden below it; an object or list goes deeper and
    shows its own place on the way.
    """
    shown: set[Path_] = set()
    if isinstance(frame, dict | list) or frame:
        shown.add(path)
    members: list[tuple[str | int, Any]] = []
    if isinstance(frame, dict):
        members = [(str(name), item) for name, item in frame.items()]
    elif isinstance(frame, list):
        members = list(enumerate(frame))
    for name, item in members:
        if item not in (False, None, "None"):
            shown |= chosen(item, disclosable, (*path, name))
    return shown & disclosable if not path else shown


def expected_after(plain: Any, shown: frozenset[Path_], hidden: frozenset[Path_]) -> Any:
    """Return the claims that a verifier sees: what is hidden and not shown is gone."""

    def walk(item: Any, path: Path_) -> Any:
        if isinstance(item, dict):
            return {
                name: walk(member, (*path, name))
                for name, member in item.items()
                if (*path, name) not in hidden or (*path, name) in shown
            }
        if isinstance(item, list):
            return [
                walk(member, (*path, index))
                for index, member in enumerate(item)
                if (*path, index) not in hidden or (*path, index) in shown
            ]
        return item

    return walk(plain, ())

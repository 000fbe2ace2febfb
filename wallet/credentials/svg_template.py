"""Pictures of cards as issuers draw them: SVG with places for claims (SD-JWT VC §8.1.2).

A template is a stranger's document that a wallet shows beside its own texts, so it is read by an
allow-list: elements that draw, attributes that say where and in what colour. Whatever else it
holds, the whole template is refused; nothing is taken out of it and nothing is guessed. What is
shown is written anew from what was read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from wallet.errors import RejectedError

MAX_SVG_BYTES: Final = 64 * 1024
MAX_SVG_ELEMENTS: Final = 1000
MAX_SVG_DEPTH: Final = 16

_SVG: Final = "http://www.w3.org/2000/svg"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_WITH_TEXT: Final = frozenset(("title", "desc", "text", "tspan"))
_ELEMENTS: Final = _WITH_TEXT | frozenset(
    ("svg", "g", "defs", "rect", "circle", "ellipse", "line", "polyline", "polygon", "path",
     "linearGradient", "radialGradient", "stop")
)  # fmt: skip
# Numbers, lengths, path data, words: nothing that could name a place or call for anything.
_PLAIN: Final = re.compile(r"[-+.,%# \t\r\n0-9A-Za-z]*\Z")
_PAINT: Final = re.compile(
    r"(?:[-#0-9A-Za-z]+|url\(#[A-Za-z][-_0-9A-Za-z]*\)|rgba?\([0-9., %]+\))\Z"
)
_TRANSFORM: Final = re.compile(r"[-+.,() \t\r\n0-9A-Za-z]*\Z")
_FONTS: Final = re.compile(r"[-_', 0-9A-Za-z가-힣]+\Z")
_NAMES: Final = re.compile(r"[A-Za-z][-_ 0-9A-Za-z]*\Z")
_LANGUAGE: Final = re.compile(r"[-0-9A-Za-z]{1,35}\Z")
_PICTURE: Final = re.compile(r"img\Z")
_ATTRIBUTES: Final[Mapping[str, re.Pattern[str]]] = {
    **dict.fromkeys(
        ("x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "cx", "cy", "r", "rx", "ry", "fx", "fy",
         "width", "height", "viewBox", "preserveAspectRatio", "points", "d", "offset", "opacity",
         "fill-opacity", "fill-rule", "stroke-opacity", "stroke-width", "stroke-linecap",
         "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset",
         "stop-opacity", "font-size", "font-weight", "font-style", "text-anchor",
         "dominant-baseline", "letter-spacing", "word-spacing", "gradientUnits", "spreadMethod",
         "version", "aria-hidden"),
        _PLAIN,
    ),
    **dict.fromkeys(("fill", "stroke", "stop-color", "color"), _PAINT),
    **dict.fromkeys(("transform", "gradientTransform"), _TRANSFORM),
    "font-family": _FONTS,
    **dict.fromkeys(("id", "aria-labelledby", "aria-describedby"), _NAMES),
    "role": _PICTURE,
    **dict.fromkeys(("lang", "xml:lang"), _LANGUAGE),
}  # fmt: skip
_PLACEHOLDER: Final = re.compile(r"\{\{([A-Za-z_][A-Za-z0-9_]{0,63})\}\}")
_SVG_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")


class SvgTemplateRefused(RejectedError):
    """A picture that is no SVG, is too large, or holds what a wallet does not show."""

    code = "svg_template_refused"


@dataclass(frozen=True, slots=True)
class SvgElement:
    """An element that was admitted; `children` are elements and text."""

    name: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple[SvgElement | str, ...]


@dataclass(frozen=True, slots=True)
class SvgTemplate:
    """A picture that was admitted. `placeholders` are the `svg_id`s that it has places for."""

    root: SvgElement
    placeholders: frozenset[str]

    def filled(self, values: Mapping[str, str], *, title: str, description: str) -> str:
        """Return the document with `values` in their places, as text and never as markup.

        Every placeholder must have a value. A document without a title or description of its
        own gets `title` or `description`.
        """
        own = {child.name for child in self.root.children if isinstance(child, SvgElement)}
        told = (("title", title), ("desc", description))
        added = tuple(SvgElement(name, (), (text,)) for name, text in told if name not in own)
        attributes = tuple(item for item in self.root.attributes if item[0] != "role")
        return _written(
            SvgElement("svg", (*attributes, ("role", "img")), (*added, *self.root.children)),
            values,
            f' xmlns="{_SVG}"',
        )


def is_svg_id(text: str) -> bool:
    """Whether a claim may be placed under this name (§9.4)."""
    return _SVG_ID.match(text) is not None


def parse_svg_template(data: bytes) -> SvgTemplate:
    """Return the template of `data` (UTF-8). Raises `SvgTemplateRefused`.

    Not admitted are document types, entities and processing instructions; elements and attributes
    that are not on the list, so scripts, styles, events, links, foreign objects, images,
    animations and filters; references to anything but a colour gradient of the same document;
    placeholders outside of text.
    """
    if len(data) > MAX_SVG_BYTES:
        raise SvgTemplateRefused("the picture is too large")
    reader = _Reader()
    try:
        # The parser would guess UTF-16 from its marks, whatever it is told.
        if "\0" in data.decode("utf-8"):
            raise SvgTemplateRefused("the picture is not in UTF-8")
        reader.parser.Parse(data, True)
    except (UnicodeDecodeError, expat.ExpatError):
        raise SvgTemplateRefused("the picture is no XML") from None
    return SvgTemplate(reader.done[0], frozenset(reader.placeholders))


def _written(element: SvgElement, values: Mapping[str, str], namespace: str = "") -> str:
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in element.attributes)
    children = "".join(
        _written(child, values)
        if isinstance(child, SvgElement)
        else escape(_PLACEHOLDER.sub(lambda place: values[place[1]], child))
        for child in element.children
    )
    return f"<{element.name}{namespace}{attributes}>{children}</{element.name}>"


@dataclass(slots=True)
class _Open:
    name: str
    attributes: tuple[tuple[str, str], ...]
    children: list[SvgElement | str] = field(default_factory=list)


class _Reader:
    """Builds the elements of a document as the XML parser finds them."""

    def __init__(self) -> None:
        # The encoding is ours to say: a document that declares another would be read as UTF-8.
        self.parser = expat.ParserCreate("utf-8", " ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refused
        self.parser.ProcessingInstructionHandler = self._refused
        self.open: list[_Open] = []
        self.done: list[SvgElement] = []
        self.count = 0
        self.placeholders: set[str] = set()

    def _refused(self, *_: object) -> NoReturn:
        raise SvgTemplateRefused("a picture has no document type, entity or instruction")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if namespace != _SVG or local not in _ELEMENTS or (local == "svg") != (not self.open):
            raise SvgTemplateRefused("the picture holds an element that is not shown")
        self.count += 1
        if self.count > MAX_SVG_ELEMENTS or len(self.open) >= MAX_SVG_DEPTH:
            raise SvgTemplateRefused("the picture has too many elements, or too deep ones")
        admitted = []
        for key, value in attributes.items():
            known = key.replace(f"{_XML} ", "xml:")
            pattern = _ATTRIBUTES.get(known)
            if pattern is None or not pattern.match(value):
                raise SvgTemplateRefused("the picture holds an attribute that is not shown")
            admitted.append((known, value))
        self.open.append(_Open(local, tuple(admitted)))

    def _end(self, _: str) -> None:
        ended = self.open.pop()
        for text in (child for child in ended.children if isinstance(child, str)):
            if "{{" in _PLACEHOLDER.sub("", text):
                raise SvgTemplateRefused("the picture has a place that names no claim")
            self.placeholders.update(_PLACEHOLDER.findall(text))
        element = SvgElement(ended.name, ended.attributes, tuple(ended.children))
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.done.append(element)

    def _text(self, text: str) -> None:
        here = self.open[-1]
        if here.name not in _WITH_TEXT:
            if text.strip():
                raise SvgTemplateRefused("the picture holds text where none is shown")
            return
        # What a comment or a CDATA section cut in two is one text, or a placeholder could hide.
        if here.children and isinstance(here.children[-1], str):
            text = str(here.children.pop()) + text
        here.children.append(text)

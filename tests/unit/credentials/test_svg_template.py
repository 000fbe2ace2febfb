"""Pictures that issuers draw: what is admitted, what is refused, and how claims are put in."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.credentials.svg_template import (
    MAX_SVG_BYTES,
    MAX_SVG_DEPTH,
    MAX_SVG_ELEMENTS,
    SvgTemplateRefused,
    parse_svg_template,
)

NS = 'xmlns="http://www.w3.org/2000/svg"'
SVG = "{http://www.w3.org/2000/svg}"


def picture(inside: str, attributes: str = 'viewBox="0 0 10 10"') -> bytes:
    return f"<svg {NS} {attributes}>{inside}</svg>".encode()


def filled(data: bytes, **values: str) -> ElementTree.Element:
    written = parse_svg_template(data).filled(values, title="이름", description="설명")
    return ElementTree.fromstring(written)


def test_draws_shapes_gradients_and_text() -> None:
    root = filled(
        picture(
            '<defs><linearGradient id="g" x1="0" x2="1"><stop offset="0" stop-color="#fff"/>'
            '<stop offset="100%" stop-color="rgb(1, 2, 3)"/></linearGradient></defs>'
            '<rect width="10" height="10" fill="url(#g)" transform="rotate(4 5,5)"/>'
            '<path d="M0 0L1-1.5e3Z" stroke="none"/>'
            '<g font-family="\'Noto Sans KR\', serif"><text x="1">a<tspan>b</tspan></text></g>'
        )
    )
    assert root.find(f"{SVG}rect") is not None
    assert [text for text in root.find(f"{SVG}g/{SVG}text").itertext()] == ["a", "b"]  # type: ignore[union-attr]


def test_puts_claims_in_as_text_and_never_as_markup() -> None:
    data = picture("<title>{{name}}</title><desc>d</desc><text>성명: {{name}}!</text>")
    assert parse_svg_template(data).placeholders == {"name"}
    hostile = '</text><script>alert(1)</script>&amp;"'
    root = filled(data, name=hostile)
    assert root.findtext(f"{SVG}text") == f"성명: {hostile}!"
    assert {element.tag for element in root.iter()} == {
        SVG + name for name in ("svg", "title", "desc", "text")
    }


def test_a_value_that_looks_like_a_place_is_not_filled_again() -> None:
    root = filled(picture("<text>{{a}}{{b}}</text>"), a="{{b}}", b="x")
    assert root.findtext(f"{SVG}text") == "{{b}}x"


def test_a_picture_without_a_title_or_description_gets_them() -> None:
    root = filled(picture("<rect/>"))
    assert (root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")) == ("이름", "설명")
    assert root.attrib["role"] == "img"
    own = filled(picture("<title>t</title><desc>d</desc>", 'role="img"'))
    assert [element.text for element in own] == ["t", "d"]


HOSTILE = {
    "a script": "<script>alert(1)</script>",
    "an event": '<rect onload="alert(1)"/>',
    "an event in capitals": '<rect onLoad="alert(1)"/>',
    "a link": '<a href="https://x.example"><rect/></a>',
    "an image": '<image href="https://x.example/pixel"/>',
    "a data image": '<image href="data:image/png;base64,AAAA"/>',
    "a use": '<use href="#a"/>',
    "a foreign object": '<foreignObject><p xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>',
    "another namespace": '<p xmlns="http://www.w3.org/1999/xhtml">x</p>',
    "no namespace": '<rect xmlns=""/>',
    "an xlink": '<rect xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="#a"/>',
    "a style element": "<style>@import url(https://x.example)</style>",
    "a style": '<rect style="background:url(https://x.example)"/>',
    "an animation": '<rect><animate attributeName="href" to="javascript:alert(1)"/></rect>',
    "a set": '<rect><set attributeName="onload" to="alert(1)"/></rect>',
    "a filter": '<filter id="f"><feImage href="https://x.example"/></filter>',
    "a pattern": '<pattern id="p"/>',
    "a colour from elsewhere": '<rect fill="url(https://x.example/a#b)"/>',
    "a colour from elsewhere, escaped": '<rect fill="u&#114;l(https://x.example/a#b)"/>',
    "a colour of two": '<rect fill="url(#a) url(https://x.example)"/>',
    "a place in an attribute": '<rect fill="{{colour}}"/>',
    "a place that names nothing": "<text>{{}}</text>",
    "a place with spaces": "<text>{{ name }}</text>",
    "a place over a comment": "<text>{<!-- -->{ name }}</text>",
    "text where none is shown": "<g>text</g>",
    "a nested picture": f"<svg {NS}/>",
    "an instruction": '<?xml-stylesheet href="https://x.example"?>',
    "an entity that nobody declared": "<text>&nbsp;</text>",
    "an id of signs": '<rect id="a)b"/>',
    "a role of its own": '<rect role="button"/>',
    "an unclosed element": "<rect>",
    "a newline after a colour": '<rect fill="red&#10;"/>',
}


@pytest.mark.parametrize("inside", HOSTILE.values(), ids=HOSTILE.keys())
def test_refuses_what_a_card_does_not_need(inside: str) -> None:
    with pytest.raises(SvgTemplateRefused) as refused:
        parse_svg_template(picture(inside))
    assert refused.value.code == "svg_template_refused"


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
DOCUMENTS = {
    "empty": b"",
    "text": b"a card",
    "another root": b"<html xmlns='http://www.w3.org/2000/svg'/>",
    "a document type": b"<!DOCTYPE svg>" + picture(""),
    "an external entity": b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    + picture("<text>&x;</text>"),
    "a billion laughs": f'<!DOCTYPE svg [<!ENTITY l0 "ha">{LAUGHS}]>'.encode()
    + picture("<text>&l8;</text>"),
    "UTF-16": picture("").decode().encode("utf-16"),
    "invalid UTF-8": picture("<text>\xff</text>").decode().encode("latin-1"),
    "a zero byte": picture("<text>\0</text>"),
    "two roots": picture("") + picture(""),
    "something after": picture("") + b"x",
    "too large": picture("<!--" + "x" * MAX_SVG_BYTES + "-->"),
    "too many elements": picture("<rect/>" * MAX_SVG_ELEMENTS),
    "too deep": picture("<g>" * MAX_SVG_DEPTH + "</g>" * MAX_SVG_DEPTH),
}


@pytest.mark.parametrize("data", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_refuses_what_is_no_small_picture(data: bytes) -> None:
    with pytest.raises(SvgTemplateRefused):
        parse_svg_template(data)


def test_takes_a_picture_up_to_the_limits() -> None:
    parse_svg_template(picture("<rect/>" * (MAX_SVG_ELEMENTS - 1)))
    parse_svg_template(picture("<g>" * (MAX_SVG_DEPTH - 1) + "</g>" * (MAX_SVG_DEPTH - 1)))


@given(st.text(alphabet="<>/&;#!'\"{}=rect textx1 -", max_size=80))
def test_whatever_is_inside_is_drawn_safely_or_refused(inside: str) -> None:
    try:
        template = parse_svg_template(picture(inside))
    except SvgTemplateRefused:
        return
    values = dict.fromkeys(template.placeholders, "<v>")
    again = template.filled(values, title="t", description="d").encode()
    assert parse_svg_template(again).placeholders == set()

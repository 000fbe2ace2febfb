"""Type Metadata: what a credential type is called, shows and demands (SD-JWT VC §6 to §9)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.svg_template import is_svg_id
from wallet.crypto.hashing import hash_named
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import MalformedError, RejectedError

MAX_TYPE_METADATA_BYTES: Final = 256 * 1024
MAX_EXTENSIONS: Final = 5
MAX_ENTRIES: Final = 200
MAX_SVG_TEMPLATES: Final = 16
MAX_TEXT_CHARACTERS: Final = 2048
_INTEGRITY_HASHES: Final = {"sha256": "sha-256", "sha384": "sha-384", "sha512": "sha-512"}

ClaimPointer = tuple[str | int | None, ...]


class TypeMetadataMalformed(MalformedError):
    """Not a Type Metadata document, or not that of the type asked for."""

    code = "type_metadata_malformed"


class TypeIntegrityMismatch(RejectedError):
    """A Type Metadata document is not the one whose digest was signed."""

    code = "type_integrity_mismatch"


class TypeRulesBroken(RejectedError):
    """The credential lacks a claim that its type demands, or discloses one against its rule."""

    code = "type_rules_broken"


class Disclosability(StrEnum):
    """Whether the issuer must, may or must not make a claim selectively disclosable (§9.3)."""

    ALWAYS = "always"
    ALLOWED = "allowed"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class SvgTemplateLink:
    """Where a picture of the type is, and what it is for (§8.1.2).

    The properties are words of the specification (`landscape`, `light`, `high`, …), None where
    nothing is said.
    """

    uri: str
    integrity: str | None = None
    orientation: str | None = None
    color_scheme: str | None = None
    contrast: str | None = None


@dataclass(frozen=True, slots=True)
class Display:
    """How a type or claim is named in one language (BCP 47 tag), and pictured if it is a type."""

    locale: str
    name: str
    description: str | None = None
    svg_templates: tuple[SvgTemplateLink, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimRule:
    """What the type says about the claims at `path` (§9); `svg_id` places one in pictures."""

    path: ClaimPointer
    display: tuple[Display, ...] = ()
    mandatory: bool = False
    sd: Disclosability = Disclosability.ALLOWED
    svg_id: str | None = None


@dataclass(frozen=True, slots=True)
class TypeMetadata:
    """One Type Metadata document. `extends` names the type whose rules also hold."""

    vct: str
    name: str | None = None
    description: str | None = None
    extends: str | None = None
    extends_integrity: str | None = None
    display: tuple[Display, ...] = ()
    claims: tuple[ClaimRule, ...] = ()


def parse_type_metadata(data: bytes, vct: str, *, integrity: str | None = None) -> TypeMetadata:
    """Return the Type Metadata of `vct`; `integrity` is the `vct#integrity` that was signed.

    Unknown members are ignored. Raises `TypeMetadataMalformed`, `TypeIntegrityMismatch`,
    `JsonMalformed`.
    """
    if integrity is not None:
        check_integrity(data, integrity)
    value = parse_json_object(data, max_bytes=MAX_TYPE_METADATA_BYTES)
    if value.get("vct") != vct:
        raise TypeMetadataMalformed("the document is of another type")
    extends = _text(value, "extends")
    extends_integrity = _text(value, "extends#integrity")
    if extends is None and extends_integrity is not None:
        raise TypeMetadataMalformed("extends#integrity without extends")
    claims = tuple(_claim_rule(item) for item in _list(value, "claims"))
    if len({rule.path for rule in claims}) != len(claims):
        raise TypeMetadataMalformed("a claim is described twice")
    places = [rule.svg_id for rule in claims if rule.svg_id is not None]
    if len(set(places)) != len(places):
        raise TypeMetadataMalformed("an svg_id is given to two claims")
    return TypeMetadata(
        vct,
        _text(value, "name"),
        _text(value, "description"),
        extends,
        extends_integrity,
        _displays(value, "name"),
        claims,
    )


def integrity_of(data: bytes) -> str:
    """Return the integrity metadata of a document: `sha256-<base64>`."""
    digest = hash_named(_INTEGRITY_HASHES["sha256"])(data)
    return "sha256-" + base64.b64encode(digest).decode("ascii")


def check_integrity(data: bytes, integrity: str) -> None:
    """Compare `data` with W3C Subresource Integrity metadata: `sha256-<base64>`, or longer.

    Of several values, those of the strongest hash count. Raises `TypeMetadataMalformed`,
    `TypeIntegrityMismatch`.
    """
    wanted: dict[str, list[bytes]] = {}
    for item in integrity.split():
        name, separator, encoded = item.partition("-")
        if not separator or name not in _INTEGRITY_HASHES:
            raise TypeMetadataMalformed("integrity is sha256-, sha384- or sha512- and base64")
        try:
            digest = base64.b64decode(encoded.encode("ascii"), validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise TypeMetadataMalformed("an integrity digest is base64") from None
        wanted.setdefault(name, []).append(digest)
    if not wanted:
        raise TypeMetadataMalformed("integrity names no digest")
    strongest = max(wanted)
    actual = hash_named(_INTEGRITY_HASHES[strongest])(data)
    if not any(hmac.compare_digest(actual, digest) for digest in wanted[strongest]):
        raise TypeIntegrityMismatch("the document has another digest than the signed one")


def resolve_type_metadata(
    vct: str, integrity: str | None, fetch: Callable[[str], bytes]
) -> tuple[TypeMetadata, ...]:
    """Return the metadata of `vct` and of the types that it extends, nearest first (§6.4).

    `fetch` gives the document at a URL. At most `MAX_EXTENSIONS` extensions; a type that extends
    itself is refused. Raises what `fetch` and `parse_type_metadata` raise.
    """
    chain: list[TypeMetadata] = []
    current: str | None = vct
    while current is not None:
        if len(chain) > MAX_EXTENSIONS or any(item.vct == current for item in chain):
            raise TypeMetadataMalformed("types extend one another in a circle or too often")
        metadata = parse_type_metadata(fetch(current), current, integrity=integrity)
        chain.append(metadata)
        current, integrity = metadata.extends, metadata.extends_integrity
    return tuple(chain)


def claim_rules(chain: Sequence[TypeMetadata]) -> tuple[ClaimRule, ...]:
    """Return the rules of a type and all it extends.

    A rule of the nearer type stands for the one with the same path further up, but may not loosen
    it (§9.5): a mandatory claim stays mandatory, and `always` or `never` stays what it is. Raises
    `TypeMetadataMalformed`.
    """
    rules: dict[ClaimPointer, ClaimRule] = {}
    for metadata in chain:
        for rule in metadata.claims:
            nearer = rules.setdefault(rule.path, rule)
            loosened = rule.mandatory and not nearer.mandatory
            if loosened or rule.sd not in (Disclosability.ALLOWED, nearer.sd):
                raise TypeMetadataMalformed("a type loosens a rule of the type that it extends")
    return tuple(rules.values())


def check_claims(
    rules: Sequence[ClaimRule], claims: JsonObject, disclosed: Sequence[ClaimPath]
) -> None:
    """Check a credential's verified claims by the rules of its type.

    `disclosed` are the places that came from disclosures. A mandatory claim may be withheld by
    the holder unless it is never disclosable, so its absence is a fault only then; what is shown
    must follow its `sd` rule. Raises `TypeRulesBroken`.
    """
    hidden = frozenset(disclosed)
    for rule in rules:
        places = list(_places(claims, rule.path, ()))
        if rule.mandatory and rule.sd is Disclosability.NEVER and not places:
            raise TypeRulesBroken("a claim that the type demands is missing")
        for place in places:
            if rule.sd is Disclosability.ALWAYS and place not in hidden:
                raise TypeRulesBroken("a claim is visible that must be selectively disclosable")
            if rule.sd is Disclosability.NEVER and place in hidden:
                raise TypeRulesBroken("a claim was disclosed that must always be visible")


def _places(value: Any, rest: ClaimPointer, here: ClaimPath) -> list[ClaimPath]:
    if not rest:
        return [here]
    part, further = rest[0], rest[1:]
    if isinstance(value, dict) and isinstance(part, str):
        return _places(value[part], further, (*here, part)) if part in value else []
    if isinstance(value, list) and not isinstance(part, str):
        at = range(len(value)) if part is None else range(part, min(part + 1, len(value)))
        return [place for i in at for place in _places(value[i], further, (*here, i))]
    return []


def _text(value: Mapping[str, Any], name: str) -> str | None:
    text = value.get(name)
    if text is not None and (type(text) is not str or not 0 < len(text) <= MAX_TEXT_CHARACTERS):
        raise TypeMetadataMalformed(f"{name} is a string of limited length")
    return text


def _list(value: Mapping[str, Any], name: str) -> list[Any]:
    items = value.get(name, [])
    if type(items) is not list or len(items) > MAX_ENTRIES:
        raise TypeMetadataMalformed(f"{name} is a list of at most {MAX_ENTRIES}")
    if not all(type(item) is dict for item in items):
        raise TypeMetadataMalformed(f"{name} holds objects")
    return items


def _displays(value: Mapping[str, Any], label: str) -> tuple[Display, ...]:
    displays = []
    for item in _list(value, "display"):
        # Earlier drafts say `lang`.
        locale = _text(item, "locale") or _text(item, "lang")
        name = _text(item, label)
        if locale is None or name is None:
            raise TypeMetadataMalformed(f"a display entry has locale and {label}")
        displays.append(Display(locale, name, _text(item, "description"), _templates(item)))
    if len({item.locale for item in displays}) != len(displays):
        raise TypeMetadataMalformed("a language occurs twice in display")
    return tuple(displays)


def _templates(item: Mapping[str, Any]) -> tuple[SvgTemplateLink, ...]:
    rendering = item.get("rendering", {})
    if type(rendering) is not dict:
        raise TypeMetadataMalformed("rendering is an object")
    links = []
    for listed in _list(rendering, "svg_templates"):
        uri, properties = _text(listed, "uri"), listed.get("properties", {})
        if uri is None or type(properties) is not dict:
            raise TypeMetadataMalformed("an SVG template has a uri, and properties are an object")
        said = (_text(properties, name) for name in ("orientation", "color_scheme", "contrast"))
        links.append(SvgTemplateLink(uri, _text(listed, "uri#integrity"), *said))
    if len(links) > MAX_SVG_TEMPLATES:
        raise TypeMetadataMalformed(f"a language has at most {MAX_SVG_TEMPLATES} SVG templates")
    return tuple(links)


def _claim_rule(item: Mapping[str, Any]) -> ClaimRule:
    path, mandatory = item.get("path"), item.get("mandatory", False)
    if type(path) is not list or not 0 < len(path) <= 32 or type(path[0]) is not str:
        raise TypeMetadataMalformed("path is a claims path pointer")
    if not all(part is None or type(part) is str or _is_index(part) for part in path):
        raise TypeMetadataMalformed("a path part is a string, a list index or null")
    if type(mandatory) is not bool:
        raise TypeMetadataMalformed("mandatory is true or false")
    try:
        sd = Disclosability(item.get("sd", "allowed"))
    except ValueError:
        raise TypeMetadataMalformed("sd is always, allowed or never") from None
    svg_id = _text(item, "svg_id")
    if svg_id is not None and not is_svg_id(svg_id):
        raise TypeMetadataMalformed("svg_id is letters, digits and underscores, no digit first")
    return ClaimRule(tuple(path), _displays(item, "label"), mandatory, sd, svg_id)


def _is_index(part: object) -> bool:
    return type(part) is int and part >= 0

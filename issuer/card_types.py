"""The Type Metadata of what an issuer issues (SD-JWT VC §6), with pictures of the cards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from issuer.card_pictures import (
    LANDSCAPE,
    PicturedClaim,
    PicturedType,
    high_contrast_template,
    plain_template,
)
from issuer.catalogue import Catalogue
from wallet.credentials.type_metadata import integrity_of
from wallet.eligibility.evidence_types import SECTOR_ID
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import ConflictError
from wallet.protocols.oid4vci.configuration import (
    ClaimDescription,
    CredentialConfiguration,
    Label,
    TypeMetadataLink,
)

LOCALES: Final = ("ko-KR", "en-US")
SVG_MEDIA_TYPE: Final = "image/svg+xml"
_DRAWN: Final = (("normal", plain_template), ("high", high_contrast_template))
_NOT_IN_AN_ID: Final = re.compile(r"[^A-Za-z0-9_]")


class CardTypeUnknown(ConflictError):
    """There is no Type Metadata, or no picture, of this name."""

    code = "card_type_unknown"
    status = 404


@dataclass(frozen=True, slots=True)
class CardType:
    """What is published of one type: the document, and its pictures by file name."""

    link: TypeMetadataLink
    document: bytes
    pictures: Mapping[str, bytes]


class CardTypes:
    """The types of a catalogue, as documents that stay the same while the process runs.

    `configurations` are the catalogue's, each with where its type is described.
    """

    def __init__(self, base_url: str, catalogue: Catalogue, names: Sequence[Label]) -> None:
        """`names` are the issuer's own, by language."""
        kinds = {name: catalogue.type_of(name).kind for name in catalogue.configurations}
        known = {kind.configuration.id: kind.configuration for kind in kinds.values()}
        self._types = {
            name: _published(f"{base_url}/types/{name}", known[name], names) for name in known
        }
        self.configurations = {
            name: replace(item, type_metadata=self._types[kinds[name].configuration.id].link)
            for name, item in catalogue.configurations.items()
        }

    def type(self, name: str) -> CardType:
        """Return one by the id of its SD-JWT VC configuration. Raises `CardTypeUnknown`."""
        if name not in self._types:
            raise CardTypeUnknown("there is no type of this name")
        return self._types[name]

    def picture(self, name: str, file: str) -> bytes:
        """Return one picture of a type. Raises `CardTypeUnknown`."""
        pictures = self.type(name).pictures
        if file not in pictures:
            raise CardTypeUnknown("there is no picture of this name")
        return pictures[file]


def _published(
    url: str, configuration: CredentialConfiguration, names: Sequence[Label]
) -> CardType:
    pictures: dict[str, bytes] = {}
    displays: list[JsonObject] = []
    for label in configuration.display:
        display: JsonObject = {"locale": label.locale, "name": label.name}
        if label.description is not None:
            display["description"] = label.description
        if label.locale in LOCALES:
            drawn = _pictures(label, configuration, names)
            pictures |= drawn
            display["rendering"] = {"svg_templates": list(_links(url, drawn))}
        displays.append(display)
    document = to_json(
        {
            "vct": configuration.vct,
            "name": configuration.display[-1].name,
            "display": displays,
            "claims": [_claim(claim) for claim in configuration.claims],
        }
    )
    return CardType(TypeMetadataLink(url, integrity_of(document)), document, pictures)


def _pictures(
    label: Label, configuration: CredentialConfiguration, names: Sequence[Label]
) -> dict[str, bytes]:
    told = PicturedType(
        configuration.id,
        label.name,
        _in(label.locale, names),
        [
            PicturedClaim(_in(label.locale, claim.display), svg_id)
            for claim in configuration.claims
            if (svg_id := _svg_id(claim)) is not None
        ],
    )
    return {
        f"{label.locale}-{contrast}.svg": draw(told).encode("utf-8") for contrast, draw in _DRAWN
    }


def _links(url: str, drawn: Mapping[str, bytes]) -> Iterable[JsonObject]:
    for (contrast, _), (file, picture) in zip(_DRAWN, drawn.items(), strict=True):
        yield {
            "uri": f"{url}/{file}",
            "uri#integrity": integrity_of(picture),
            "properties": {**LANDSCAPE, "contrast": contrast},
        }


def _claim(claim: ClaimDescription) -> JsonObject:
    rule: JsonObject = {
        "path": list(claim.path),
        "display": [{"locale": label.locale, "label": label.name} for label in claim.display],
    }
    svg_id = _svg_id(claim)
    return rule if svg_id is None else {**rule, "svg_id": svg_id}


def _svg_id(claim: ClaimDescription) -> str | None:
    """Return the name of a claim's place. Identifiers for machines are not in pictures."""
    if claim.path == (SECTOR_ID,):
        return None
    return "_".join(_NOT_IN_AN_ID.sub("_", str(part)) for part in claim.path)


def _in(locale: str, labels: Sequence[Label]) -> str:
    """Return the name in a language; every type of a catalogue has one in each."""
    language = locale.partition("-")[0]
    fitting = (label.name for label in labels if label.locale.partition("-")[0] == language)
    return next(fitting, labels[0].name if labels else "")

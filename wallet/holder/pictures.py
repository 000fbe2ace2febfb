"""Pictures of cards as their issuers draw them, fetched once and kept with the wallet.

They come with the Type Metadata of a card (SD-JWT VC §6, §8.1.2), when the card is received and at
no other time, so nobody learns when a card is looked at, and they are there without a network.
Every document is compared with the digest that leads to it. What does not come, or is not safe to
show, leaves the card with the picture that the wallet draws itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final

from wallet.credentials.formats import SD_JWT_VC_FORMAT
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.credentials.svg_template import (
    MAX_SVG_BYTES,
    SvgTemplateRefused,
    parse_svg_template,
)
from wallet.credentials.type_metadata import (
    SvgTemplateLink,
    TypeMetadata,
    check_integrity,
    parse_type_metadata,
)
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import SeoulWalletError
from wallet.holder.answers import JSON, AnswerUnexpected, check_answered
from wallet.holder.cards import Card, HeldCredential, HeldCredentials
from wallet.holder.face import LANGUAGES, Face, face_of, in_words, on_one_line
from wallet.holder.issuers import InspectedOffer, offer_again, same_origin
from wallet.ports.holder import (
    Delete,
    HolderTransport,
    Put,
    RecordStore,
    RecordUnknown,
    StoreDamaged,
    StoreFull,
    UrlRefused,
)
from wallet.protocols.oid4vci.configuration import TypeMetadataLink

KIND: Final = "card_picture"
SVG: Final = "image/svg+xml"
HIGH_CONTRAST: Final = "high"
NO_VALUE: Final = "-"


@dataclass(frozen=True, slots=True)
class _Template:
    language: str
    high_contrast: bool
    svg: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of a type: its document's digest, places of claims, and templates."""

    integrity: str
    svg_ids: Mapping[str, tuple[str | int | None, ...]]
    templates: tuple[_Template, ...]


class Pictures:
    """The pictures in a record store, one record per type of an issuer."""

    def __init__(
        self,
        records: RecordStore,
        transport: HolderTransport,
        held: HeldCredentials,
        inspect: Callable[[Mapping[str, Any]], InspectedOffer],
    ) -> None:
        self._records = records
        self._transport = transport
        self._held = held
        self._inspect = inspect

    def face(self, card: Card, language: str, *, high_contrast: bool = False) -> Face:
        """Return the face of a card in `ko` or `en`, with its issuer's picture if there is one.

        With `high_contrast` a picture of large letters in strong contrast, if the issuer has one.
        Asks nobody.
        """
        own = face_of(card, language)
        kept = self._kept(card.credential_issuer, card.vct)
        if kept is None:
            return own
        known = language if language in LANGUAGES else "en"
        values = {svg_id: _value(card, path, known) for svg_id, path in kept.svg_ids.items()}
        for template in _by_fit(kept.templates, known, high_contrast):
            try:
                picture = parse_svg_template(template.svg.encode("utf-8"))
            except SvgTemplateRefused:
                continue  # kept by a version that admitted more
            svg = picture.filled(values, title=own.title, description=own.description)
            return replace(own, svg=svg, is_issuers_picture=True)
        return own

    def update(self, card_id: str) -> bool:
        """Fetch the pictures of a card's type anew; whether its issuer has any for this wallet.

        Raises `CardUnknown`, what `inspect_offer` raises, and what makes a picture unusable:
        `UrlRefused` (at another host than the issuer), `AnswerUnexpected`,
        `TypeMetadataMalformed`, `TypeIntegrityMismatch`, `SvgTemplateRefused`.
        """
        held = self._held.get(card_id)
        inspected = self._inspect(offer_again(held.credential_issuer, held.configuration_id))
        (configuration,) = inspected.configurations
        return self._fetch(held, configuration.type_metadata)

    def receive(self, held: HeldCredential, link: TypeMetadataLink | None) -> None:
        """Fetch the pictures of a card that has just come. Nothing is wrong without them."""
        try:
            self._fetch(held, link)
        except (StoreDamaged, StoreFull):
            raise
        except SeoulWalletError:
            return

    def forget(self, card: Card) -> None:
        """Delete the pictures of a card that was removed, if it was the last of its type."""
        if self._kept(card.credential_issuer, card.vct) is None:
            return
        left = (item.card() for item in self._held.all())
        if not any(
            (item.credential_issuer, item.vct) == (card.credential_issuer, card.vct)
            for item in left
        ):
            self._records.write(Delete(KIND, _record_id(card.credential_issuer, card.vct)))

    def _fetch(self, held: HeldCredential, link: TypeMetadataLink | None) -> bool:
        card = held.card()
        signed = _signed_integrity(held)
        if link is None:
            # A type that is a URL is described there (§6.3.1).
            if not card.vct.startswith("https://") or signed is None:
                return False
            link = TypeMetadataLink(card.vct, signed)
        kept = self._kept(card.credential_issuer, card.vct)
        if kept is not None and kept.integrity == link.integrity:
            return bool(kept.templates)
        document = self._document(link.uri, JSON, card.credential_issuer)
        for integrity in filter(None, (link.integrity, signed)):
            check_integrity(document, integrity)
        metadata = parse_type_metadata(document, card.vct)
        found = _Kept(
            link.integrity,
            {rule.svg_id: rule.path for rule in metadata.claims if rule.svg_id is not None},
            tuple(self._templates(metadata, card.credential_issuer)),
        )
        self._records.write(_put(_record_id(card.credential_issuer, card.vct), found))
        return bool(found.templates)

    def _templates(self, metadata: TypeMetadata, issuer: str) -> Iterator[_Template]:
        places = {rule.svg_id for rule in metadata.claims}
        for language, high_contrast, link in _wanted(metadata):
            if link.integrity is None:
                raise SvgTemplateRefused("the picture has no digest")
            data = self._document(link.uri, SVG, issuer)
            check_integrity(data, link.integrity)
            if not parse_svg_template(data).placeholders <= places:
                raise SvgTemplateRefused("the picture has a place for a claim of no name")
            yield _Template(language, high_contrast, data.decode("utf-8"))

    def _document(self, uri: str, media_type: str, issuer: str) -> bytes:
        # Nobody but the issuer, who knows already, learns what was received.
        if not same_origin(uri, issuer):
            raise UrlRefused("what describes a card is at another host than its issuer")
        answer = self._transport.get(uri, accept=media_type)
        check_answered(answer, what="a picture of a card")
        if answer.content_type != media_type or len(answer.body) > 4 * MAX_SVG_BYTES:
            raise AnswerUnexpected("a picture of a card came as something else, or is too large")
        return answer.body

    def _kept(self, issuer: str, vct: str) -> _Kept | None:
        try:
            return _from_json(self._records.get(KIND, _record_id(issuer, vct)).payload)
        except RecordUnknown:
            return None


def _wanted(metadata: TypeMetadata) -> Iterator[tuple[str, bool, SvgTemplateLink]]:
    """Yield what to fetch: for each language of the wallet one picture, and one of high contrast.

    Landscape and light if there is a choice, because cards are shown so.
    """
    for language in LANGUAGES:
        links = [
            link
            for display in metadata.display
            if display.locale.lower().partition("-")[0] == language
            for link in display.svg_templates
        ]
        links.sort(key=lambda link: (link.orientation == "portrait", link.color_scheme == "dark"))
        for high in (False, True):
            fitting = (link for link in links if (link.contrast == HIGH_CONTRAST) is high)
            chosen = next(fitting, None)
            if chosen is not None:
                yield language, high, chosen


def _by_fit(
    templates: tuple[_Template, ...], language: str, high_contrast: bool
) -> list[_Template]:
    """Return the templates of a language, those of the wanted contrast first."""
    mine = [item for item in templates if item.language == language]
    return sorted(mine, key=lambda item: item.high_contrast is not high_contrast)


def _value(card: Card, path: tuple[str | int | None, ...], language: str) -> str:
    """Return what stands in a picture's place: one line, of several values with commas."""
    said = [
        in_words(line, language)
        for line in card.lines(language)
        if len(line.path) >= len(path)
        and all(want in (None, part) for want, part in zip(path, line.path, strict=False))
    ]
    return on_one_line(", ".join(said) or NO_VALUE)


def _signed_integrity(held: HeldCredential) -> str | None:
    if held.format != SD_JWT_VC_FORMAT:
        return None
    signed = parse_sd_jwt(held.credential).jws.peek_claims().get("vct#integrity")
    return signed if type(signed) is str else None


def _record_id(issuer: str, vct: str) -> str:
    return sha256(to_json([issuer, vct])).hexdigest()[:32]


def _put(record_id: str, kept: _Kept) -> Put:
    value = {
        "integrity": kept.integrity,
        "svg_ids": {svg_id: list(path) for svg_id, path in kept.svg_ids.items()},
        "templates": [
            {"language": item.language, "high_contrast": item.high_contrast, "svg": item.svg}
            for item in kept.templates
        ],
    }
    return Put(KIND, record_id, to_json(value))


def _from_json(payload: bytes) -> _Kept:
    try:
        value = parse_json_object(payload)
        return _Kept(
            value["integrity"],
            {svg_id: tuple(path) for svg_id, path in value["svg_ids"].items()},
            tuple(_Template(**item) for item in value["templates"]),
        )
    except (KeyError, TypeError, AttributeError, SeoulWalletError) as error:
        raise StoreDamaged("a stored picture cannot be read") from error

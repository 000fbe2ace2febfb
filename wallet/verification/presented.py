"""What holders present, by format: parsed and bounded, nothing verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from wallet.credentials.bbs_nym import NymPresentation, parse_nym_presentation
from wallet.credentials.formats import (
    BBS_NYM_FORMAT,
    JWT_VC_FORMAT,
    LDP_VC_FORMAT,
    SD_JWT_VC_FORMAT,
)
from wallet.credentials.jsonld.seoul import RECEIPT_TERM
from wallet.credentials.jwt_vc import JwtVc, JwtVp, is_jwt_vp, parse_jwt_vc, parse_jwt_vp
from wallet.credentials.sd_jwt import SdJwt
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.credentials.vcdm.credential import Credential, parse_credential
from wallet.credentials.vcdm.fields import CredentialMalformed, has_type
from wallet.credentials.vcdm.presentation import Presentation, parse_presentation
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import MalformedError, UnsupportedError
from wallet.trust.receipt import RECEIPT_CLAIM, ReceiptMalformed

# As it travels: text for JWTs, an object for the others.
Presentable = str | bytes | JsonObject
MAX_RECEIPT_CHARACTERS: Final = 8 * 1024
_PRESENTATION: Final = "VerifiablePresentation"


class PresentationMalformed(MalformedError):
    """What was presented is not of the form of its format."""

    code = "presentation_malformed"


class UnsupportedPresentationFormat(UnsupportedError):
    """Presentations of this format cannot be verified here."""

    code = "unsupported_presentation_format"


@dataclass(frozen=True, slots=True)
class PresentedJwtVc:
    """A `jwt_vc_json`, in a presentation that its holder signed or alone."""

    credential: JwtVc
    presentation: JwtVp | None

    def named_receipt(self) -> object:
        """Return the anchor receipt that the holder put into the presentation, or None."""
        return None if self.presentation is None else self.presentation.claims.get(RECEIPT_CLAIM)


@dataclass(frozen=True, slots=True)
class PresentedLdpVc:
    """An `ldp_vc`, in a presentation that its holder signed or alone."""

    credential: Credential
    presentation: Presentation | None

    def named_receipt(self) -> object:
        """Return the anchor receipt that the holder put into the presentation, or None.

        Raises `ReceiptMalformed`, `JsonMalformed`.
        """
        document = {} if self.presentation is None else self.presentation.document
        if RECEIPT_TERM not in document:
            return None
        text = document[RECEIPT_TERM]
        if type(text) is not str or len(text) > MAX_RECEIPT_CHARACTERS:
            raise ReceiptMalformed("a receipt is JSON in a string of limited length")
        return parse_json_object(text.encode("utf-8", "surrogatepass"))


Presented = SdJwt | PresentedJwtVc | PresentedLdpVc | NymPresentation


class ParsedPresentation(NamedTuple):
    """A presentation that was parsed as one of `format`, for who looks at it more than once.

    Only `parse_received` makes one. Nothing is verified.
    """

    format: str
    presented: Presented


def parse_received(
    presentation: Presentable, format_: str = SD_JWT_VC_FORMAT
) -> ParsedPresentation:
    """Return a presentation to collect evidence for and to verify. Raises as `parse_presented`."""
    return ParsedPresentation(format_, parse_presented(presentation, format_))


def parse_presented(
    presentation: Presentable | ParsedPresentation, format_: str = SD_JWT_VC_FORMAT
) -> Presented:
    """Return what was presented in a format, by its name in OpenID4VP.

    Raises `PresentationMalformed`, `UnsupportedPresentationFormat`, and what the parser of the
    format raises.
    """
    if isinstance(presentation, ParsedPresentation):
        if presentation.format != format_:
            raise PresentationMalformed(f"a presentation of {format_} is parsed as one")
        return presentation.presented
    if format_ not in (SD_JWT_VC_FORMAT, JWT_VC_FORMAT, LDP_VC_FORMAT, BBS_NYM_FORMAT):
        raise UnsupportedPresentationFormat("no presentation of this format is verified here")
    if isinstance(presentation, dict):
        if format_ == LDP_VC_FORMAT:
            return parse_presented_ldp_vc(presentation)
        if format_ == BBS_NYM_FORMAT:
            return parse_nym_presentation(presentation)
    elif format_ == SD_JWT_VC_FORMAT:
        return parse_presented_sd_jwt(presentation)
    elif format_ == JWT_VC_FORMAT:
        return parse_presented_jwt_vc(presentation)
    raise PresentationMalformed(f"a presentation of {format_} looks different")


def parse_presented_jwt_vc(token: str | bytes) -> PresentedJwtVc:
    """Return a credential in a VP JWT, or alone. Raises as `parse_jwt_vp` and `parse_jwt_vc`."""
    if not is_jwt_vp(token):
        return PresentedJwtVc(parse_jwt_vc(token), None)
    presentation = parse_jwt_vp(token)
    return PresentedJwtVc(parse_jwt_vc(presentation.credential), presentation)


def parse_presented_ldp_vc(document: JsonObject) -> PresentedLdpVc:
    """Return a credential in a presentation, or alone. Raises `CredentialMalformed`."""
    types = document["type"] if has_type(document) else []
    if _PRESENTATION not in (types if type(types) is list else [types]):
        return PresentedLdpVc(parse_credential(document), None)
    presentation = parse_presentation(document)
    if len(presentation.credentials) != 1:
        raise CredentialMalformed("the presentation shows one credential")
    return PresentedLdpVc(parse_credential(presentation.credentials[0]), presentation)

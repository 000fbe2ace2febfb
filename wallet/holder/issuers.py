"""Whom the wallet takes credentials from, and what they offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from wallet.credentials.formats import BBS_NYM_FORMAT, W3C_FORMATS
from wallet.credentials.jose import parse_compact_jws
from wallet.did.did_web import did_web_document_url
from wallet.did.syntax import Did, DidMalformed, parse_did
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError, UnsupportedError
from wallet.holder.answers import JSON, check_answered, json_answer
from wallet.holder.contents import FORMATS
from wallet.holder.texts import name_in
from wallet.ports.clock import Clock
from wallet.ports.facts import DidResolver
from wallet.ports.holder import HolderTransport
from wallet.protocols.oid4vci.metadata import (
    MAX_METADATA_BYTES,
    SIGNED_METADATA_MEDIA_TYPE,
    SIGNED_METADATA_TYPE,
    CredentialConfiguration,
    IssuerMetadata,
    MetadataMismatch,
    issuer_metadata_url,
    parse_issuer_metadata,
    verify_signed_metadata,
)
from wallet.protocols.oid4vci.nym_proof import BBS_NYM_ALGORITHM
from wallet.protocols.oid4vci.offer import (
    MAX_OFFER_BYTES,
    CredentialOffer,
    TxCodePrompt,
    parse_credential_offer,
    parse_offer_link,
)
from wallet.protocols.oid4vci.server_metadata import (
    AuthorizationServerMetadata,
    authorization_server_metadata_url,
    parse_authorization_server_metadata,
)

DEFAULT_COPIES: Final = 4
JWK_BINDING: Final = "jwk"
# Signed if the issuer does that; an answer without a signature is taken as well.
METADATA_ACCEPT: Final = f"{SIGNED_METADATA_MEDIA_TYPE}, {JSON};q=0.9"


class OfferNotTrusted(RejectedError):
    """The offer is not from an issuer that this wallet takes credentials from.

    It is not on the list, its metadata is another's, or it leads to someone else's host.
    """

    code = "offer_not_trusted"


class UnsupportedOffer(UnsupportedError):
    """The issuer offers nothing of the kind that this wallet can hold."""

    code = "unsupported_offer"


@dataclass(frozen=True, slots=True)
class InspectedOffer:
    """An offer whose issuer was looked at: what to show before anything is accepted.

    `tx_code` says how to ask for the transaction code, or None. Nothing was sent to the issuer
    that would use the offer up. `metadata_signer` is the issuer's DID if it vouches for the
    metadata with its key (§12.2.3), or None if only the connection says whose they are.
    """

    offer: CredentialOffer
    metadata: IssuerMetadata
    server: AuthorizationServerMetadata
    configurations: tuple[CredentialConfiguration, ...]
    metadata_signer: Did | None = None

    @property
    def tx_code(self) -> TxCodePrompt | None:
        return self.offer.tx_code

    def issuer_name(self, language: str) -> str:
        """Return the issuer's name for itself: unproven, so show its host beside it."""
        return name_in(self.metadata.display, language, self.offer.credential_issuer)

    def card_names(self, language: str) -> tuple[str, ...]:
        """Return the names of what is offered."""
        return tuple(
            name_in(item.display, language, item.type_name) for item in self.configurations
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerPolicy:
    """Which issuers a wallet takes credentials from.

    `trusted_issuers` are `credential_issuer` URLs, byte for byte; an empty set trusts nobody,
    None leaves the choice to the holder, who is shown the issuer's host first. `development`
    admits http on localhost. `max_copies` is how many single-use copies are asked for at once,
    if the issuer gives that many.
    """

    trusted_issuers: frozenset[str] | None = None
    development: bool = False
    max_copies: int = DEFAULT_COPIES

    def copies_of(self, metadata: IssuerMetadata) -> int:
        """Return how many single-use copies of a credential to ask an issuer for."""
        return max(1, min(metadata.batch_size, self.max_copies))

    def check_issuer(self, credential_issuer: str) -> None:
        """Raises `OfferNotTrusted`."""
        if self.trusted_issuers is not None and credential_issuer not in self.trusted_issuers:
            raise OfferNotTrusted("the issuer is not one that this wallet takes credentials from")

    def check_signer(self, did: Did, credential_issuer: str) -> None:
        """Return if `did` is the did:web of the issuer's own host: nobody signs for another.

        Raises `OfferNotTrusted`.
        """
        try:
            # A local issuer is all http or all https: its document is where its metadata is.
            over_http = self.development and credential_issuer.startswith("http:")
            url = did_web_document_url(did, development=over_http)
        except DidMalformed:
            raise OfferNotTrusted("the signer is not a did:web of the issuer's host") from None
        if not same_origin(url, credential_issuer):
            raise OfferNotTrusted("the signer is the DID of another host than the issuer's")


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs have the same scheme, host and port."""
    first, second = urlsplit(one), urlsplit(other)
    return (first.scheme, first.netloc.lower()) == (second.scheme, second.netloc.lower())


def did_bindings(configuration: CredentialConfiguration) -> frozenset[str]:
    """Return the DID methods by which the holder of a credential of this format can be named."""
    return frozenset(("did:jwk",)) if configuration.format in W3C_FORMATS else frozenset()


@dataclass(frozen=True, slots=True)
class IssuerReader:
    """Reads what issuers publish about themselves, as far as `policy` lets it."""

    transport: HolderTransport
    dids: DidResolver
    clock: Clock
    policy: IssuerPolicy

    def inspect(self, offer: str | Mapping[str, Any]) -> InspectedOffer:
        """Read an offer (a link or its JSON object) and its issuer's metadata.

        Raises `OfferNotTrusted` before the issuer is asked anything, or when its metadata is not
        its own or not of this time; `SignatureInvalid`, `KeyNotAuthorized`, `JwsMalformed` for
        signed metadata that no key of the issuer vouches for, `DidUnresolvable` when that could
        not be checked; `UnsupportedOffer`, the errors of the messages, and those of
        `HolderTransport`.
        """
        development = self.policy.development
        parsed = _read_offer(offer, self.transport, development)
        self.policy.check_issuer(parsed.credential_issuer)
        metadata, signer = self.metadata_of(parsed.credential_issuer)
        try:
            server = _server_metadata(parsed, metadata, self.transport, development)
        except MetadataMismatch as error:
            raise OfferNotTrusted(f"the server's metadata is not its own: {error}") from error
        names = parsed.credential_configuration_ids
        usable = tuple(usable_configuration(metadata, name) for name in names)
        return InspectedOffer(parsed, metadata, server, usable, signer)

    def metadata_of(self, issuer: str) -> tuple[IssuerMetadata, Did | None]:
        """Return an issuer's metadata and the DID that signed them, None if nobody did.

        Raises as `inspect` does.
        """
        url = issuer_metadata_url(issuer)
        answer = self.transport.get(url, accept=METADATA_ACCEPT)
        if answer.status == 404 and urlsplit(issuer).path.strip("/"):
            # Where issuers of earlier drafts have it; any other failure is final.
            url = issuer.rstrip("/") + "/.well-known/openid-credential-issuer"
            answer = self.transport.get(url, accept=METADATA_ACCEPT)
        what, signer = "the issuer's metadata", None
        try:
            if answer.content_type == SIGNED_METADATA_MEDIA_TYPE:
                check_answered(answer, what=what)
                value, signer = self._signed(answer.body, issuer)
            else:
                value = json_answer(answer, what=what, max_bytes=MAX_METADATA_BYTES)
            metadata = parse_issuer_metadata(
                value, credential_issuer=issuer, development=self.policy.development
            )
        except MetadataMismatch as error:
            raise OfferNotTrusted(f"the issuer's metadata is not its own: {error}") from error
        return metadata, signer

    def _signed(self, token: bytes, issuer: str) -> tuple[JsonObject, Did]:
        """Return the metadata in a signed form; its `kid` says whose key, a DID of the issuer."""
        kid = parse_compact_jws(token, typ=SIGNED_METADATA_TYPE).kid
        try:
            signer = parse_did((kid or "").partition("#")[0])
        except DidMalformed:
            raise OfferNotTrusted("the issuer's metadata is signed by nobody's DID") from None
        self.policy.check_signer(signer, issuer)
        document = self.dids.resolve(signer).value
        now = self.clock.now()
        return verify_signed_metadata(token, document, credential_issuer=issuer, now=now), signer


def offer_again(
    credential_issuer: str, configuration_id: str, authorization_server: str | None = None
) -> JsonObject:
    """Return an offer that nobody made, to `inspect` an issuer of something that is held.

    Nothing of it is sent to anyone.
    """
    if authorization_server == credential_issuer:
        authorization_server = None
    return CredentialOffer(
        credential_issuer,
        (configuration_id,),
        pre_authorized_code="held already",
        authorization_server=authorization_server,
    ).to_json()


def _read_offer(
    offer: str | Mapping[str, Any], transport: HolderTransport, development: bool
) -> CredentialOffer:
    if not isinstance(offer, str):
        return parse_credential_offer(dict(offer), development=development)
    read = parse_offer_link(offer, development=development)
    if isinstance(read, CredentialOffer):
        return read
    answer = transport.get(read.uri, accept=JSON)
    value = json_answer(answer, what="the offer", max_bytes=MAX_OFFER_BYTES)
    return parse_credential_offer(value, development=development)


def _server_metadata(
    offer: CredentialOffer,
    metadata: IssuerMetadata,
    transport: HolderTransport,
    development: bool,
) -> AuthorizationServerMetadata:
    servers = metadata.authorization_servers or (metadata.credential_issuer,)
    chosen = offer.authorization_server or servers[0]
    if chosen not in servers:
        raise OfferNotTrusted("the offer names an authorization server that is not the issuer's")
    answer = transport.get(authorization_server_metadata_url(chosen), accept=JSON)
    value = json_answer(answer, what="the server's metadata", max_bytes=MAX_METADATA_BYTES)
    return parse_authorization_server_metadata(value, issuer=chosen, development=development)


def usable_configuration(metadata: IssuerMetadata, name: str) -> CredentialConfiguration:
    """Return the configuration if this wallet can make what its issuer asks for.

    Raises `UnsupportedOffer`.
    """
    configuration = metadata.configurations.get(name)
    if configuration is None or configuration.format not in FORMATS:
        raise UnsupportedOffer("what is offered is of an unknown format, or not in the metadata")
    if configuration.format == BBS_NYM_FORMAT:
        if BBS_NYM_ALGORITHM not in configuration.proof_algorithms:
            raise UnsupportedOffer("the issuer takes no commitment that this wallet can make")
        return configuration
    if not {JWK_BINDING, *did_bindings(configuration)} & set(configuration.binding_methods):
        raise UnsupportedOffer("what is offered is not bound to a key (jwk, or did:jwk)")
    if "ES256" not in configuration.proof_algorithms:
        raise UnsupportedOffer("the issuer takes no key proof by ES256")
    if configuration.key_attestations is not None:
        raise UnsupportedOffer("the issuer asks for attested keys, and this wallet has none")
    return configuration

"""Held credentials as queries see them, and as verifiers get them: one place per format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from wallet.credentials.bbs_nym import (
    RECEIPT_KEY,
    NymRequest,
    NymScope,
    present_nym_credential,
)
from wallet.credentials.cryptosuites.ecdsa_rdfc_2019 import ECDSA_RDFC_2019
from wallet.credentials.data_integrity.issue import ProofOptions, present_credentials
from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.formats import (
    BBS_NYM_FORMAT,
    JWT_VC_FORMAT,
    LDP_VC_FORMAT,
    SD_JWT_VC_FORMAT,
    SUBJECT,
    matched_types,
)
from wallet.credentials.jsonld.pinned import CREDENTIALS_V2
from wallet.credentials.jsonld.seoul import RECEIPT_TERM, SEOUL_CONTEXT, seoul_json_ld
from wallet.credentials.jwt_vc import parse_jwt_vc, present_jwt_vp
from wallet.credentials.sd_jwt import (
    ClaimPattern,
    bind_to_key,
    parse_sd_jwt,
    present_sd_jwt,
    select_disclosures,
)
from wallet.credentials.vcdm.credential import Credential, parse_credential
from wallet.credentials.voting import VOTING_CREDENTIAL_TYPE
from wallet.crypto.certificates import authority_key_ids, parse_x5c
from wallet.crypto.keys import SigningKey
from wallet.did.resolve import resolve_self_contained
from wallet.did.syntax import parse_did
from wallet.encoding import jcs
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import SeoulWalletError
from wallet.holder.cards import HeldCredential
from wallet.holder.contents import claims_of_person, derive_shown, plain_claims, pointer, suite_of
from wallet.holder.nyms import Nyms
from wallet.protocols.dcql import CredentialQuery
from wallet.protocols.dcql_match import Candidate, sd_jwt_candidate
from wallet.protocols.oid4vci.nym_proof import BBS_NYM_ALGORITHM, parse_nym_credential
from wallet.protocols.oid4vp_metadata import FormatsNotSupported, check_format
from wallet.protocols.oid4vp_response import RawPresentation
from wallet.trust.receipt import RECEIPT_CLAIM

HOLDER_ALGORITHM: Final = "ES256"
_SUBJECT_ID: Final = (SUBJECT, "id")
# What this wallet signs with, by the members of `vp_formats_supported` that list it.
_OWN: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    SD_JWT_VC_FORMAT: {"kb-jwt_alg_values": (HOLDER_ALGORITHM,)},
    JWT_VC_FORMAT: {"alg_values": (HOLDER_ALGORITHM,)},
    LDP_VC_FORMAT: {
        "proof_type_values": ("DataIntegrityProof",),
        "cryptosuite_values": (ECDSA_RDFC_2019.name,),
    },
    BBS_NYM_FORMAT: {"alg_values": (BBS_NYM_ALGORITHM,)},
}


@dataclass(frozen=True, slots=True)
class Binding:
    """What a presentation is bound to. `issued_at` is unix seconds; `claims` go in besides.

    `key` is the credential's; a BBS credential has none, but the secrets in `nyms`, and shows the
    pseudonym at this verifier with `pseudonym`.
    """

    key: SigningKey | None
    nyms: Nyms
    audience: str
    nonce: str
    issued_at: int
    claims: Mapping[str, Any]
    pseudonym: bool = False
    scope: NymScope | None = None

    @property
    def signing_key(self) -> SigningKey:
        """The key of a credential that is bound to one."""
        if self.key is None:
            raise AssertionError("a credential of this format is bound to a key")
        return self.key


class PresentableCredential(Protocol):
    """A held credential of some format, ready to be matched and presented."""

    def candidate(self) -> Candidate:
        """Return the credential as a query sees it."""

    def check_accepted(self, metadata: JsonObject | None) -> None:
        """Return if the verifier takes it. Raises `FormatsNotSupported`, `RequestMalformed`."""

    def shown(self, paths: Sequence[ClaimPath]) -> JsonObject:
        """Return every claim that the verifier will see, read from what would be sent."""

    def present(self, paths: Sequence[ClaimPath], binding: Binding | None) -> RawPresentation:
        """Return the presentation that shows the claims at `paths`, bound unless it is not to."""


class SdJwtPresentable:
    """An SD-JWT VC as held."""

    def __init__(self, held: HeldCredential) -> None:
        self._parsed = parse_sd_jwt(held.credential)
        self._processed = self._parsed.process(self._parsed.jws.peek_claims())

    def candidate(self) -> Candidate:
        """See `PresentableCredential.candidate`."""
        return sd_jwt_candidate(self._processed.claims, _authority_keys(self._parsed.jws.header))

    def check_accepted(self, metadata: JsonObject | None) -> None:
        """See `PresentableCredential.check_accepted`."""
        issuer = {"sd-jwt_alg_values": (self._parsed.jws.header["alg"],)}
        check_format(metadata, SD_JWT_VC_FORMAT, {**_OWN[SD_JWT_VC_FORMAT], **issuer})

    def shown(self, paths: Sequence[ClaimPath]) -> JsonObject:
        """See `PresentableCredential.shown`."""
        sent = parse_sd_jwt(self._disclosing(paths))
        return plain_claims(sent.process(sent.jws.peek_claims()).claims)

    def present(self, paths: Sequence[ClaimPath], binding: Binding | None) -> RawPresentation:
        """See `PresentableCredential.present`."""
        presented = self._disclosing(paths)
        if binding is None:
            return presented
        return bind_to_key(
            presented,
            binding.signing_key,
            audience=binding.audience,
            nonce=binding.nonce,
            issued_at=binding.issued_at,
            hash_name=self._parsed.jws.peek_claims().get("_sd_alg", "sha-256"),
            extra_claims=binding.claims,
        )

    def _disclosing(self, paths: Sequence[ClaimPath]) -> str:
        wanted: list[ClaimPattern] = [tuple(path) for path in paths]
        return present_sd_jwt(self._parsed, select_disclosures(self._processed, wanted))


class JwtVcPresentable:
    """A `jwt_vc_json` as held: shown whole, or not at all."""

    def __init__(self, held: HeldCredential) -> None:
        self._text = held.credential
        self._parsed = parse_jwt_vc(held.credential)

    def candidate(self) -> Candidate:
        """See `PresentableCredential.candidate`."""
        keys = _authority_keys(self._parsed.jws.header)
        return _w3c_candidate(JWT_VC_FORMAT, self._parsed.credential, keys)

    def check_accepted(self, metadata: JsonObject | None) -> None:
        """See `PresentableCredential.check_accepted`."""
        used = {"alg_values": (self._parsed.jws.header["alg"], HOLDER_ALGORITHM)}
        check_format(metadata, JWT_VC_FORMAT, used)

    def shown(self, paths: Sequence[ClaimPath]) -> JsonObject:
        """See `PresentableCredential.shown`."""
        return claims_of_person(self._parsed.credential.document)

    def present(self, paths: Sequence[ClaimPath], binding: Binding | None) -> RawPresentation:
        """See `PresentableCredential.present`."""
        if binding is None:
            return self._text
        holder, method = _holder_of(self._parsed.credential)
        return present_jwt_vp(
            self._text,
            binding.signing_key,
            holder=holder,
            verification_method=method,
            audience=binding.audience,
            nonce=binding.nonce,
            issued_at=binding.issued_at,
            extra_claims=binding.claims,
        )


class LdpVcPresentable:
    """An `ldp_vc` as held: shown in parts where its cryptosuite can do that."""

    def __init__(self, held: HeldCredential) -> None:
        self._document = parse_json_object(held.credential.encode())
        self._credential = parse_credential(self._document)

    def candidate(self) -> Candidate:
        """See `PresentableCredential.candidate`."""
        return _w3c_candidate(LDP_VC_FORMAT, self._credential)

    def check_accepted(self, metadata: JsonObject | None) -> None:
        """See `PresentableCredential.check_accepted`."""
        suites = {"cryptosuite_values": (suite_of(self._document), ECDSA_RDFC_2019.name)}
        check_format(metadata, LDP_VC_FORMAT, {**_OWN[LDP_VC_FORMAT], **suites})

    def shown(self, paths: Sequence[ClaimPath]) -> JsonObject:
        """See `PresentableCredential.shown`."""
        return claims_of_person(self._disclosing(paths))

    def present(self, paths: Sequence[ClaimPath], binding: Binding | None) -> RawPresentation:
        """See `PresentableCredential.present`."""
        shown = self._disclosing(paths)
        if binding is None:
            return shown
        holder, method = _holder_of(self._credential)
        presentation: JsonObject = {
            "@context": [CREDENTIALS_V2, SEOUL_CONTEXT],
            "type": ["VerifiablePresentation"],
            "holder": holder,
            "verifiableCredential": [shown],
        }
        if RECEIPT_CLAIM in binding.claims:
            receipt = jcs.canonicalize(binding.claims[RECEIPT_CLAIM])
            presentation[RECEIPT_TERM] = receipt.decode("utf-8")
        return present_credentials(
            presentation,
            binding.signing_key,
            ProofOptions(method, created=binding.issued_at),
            ECDSA_RDFC_2019,
            challenge=binding.nonce,
            domain=binding.audience,
            json_ld=seoul_json_ld(),
        ).document

    def _disclosing(self, paths: Sequence[ClaimPath]) -> JsonObject:
        places = list(paths)
        if self._credential.subject_ids:
            # Without it nobody could say that the credential is about its holder.
            places.append(_SUBJECT_ID)
        return derive_shown(self._document, [pointer(tuple(path)) for path in places])


class NymPresentable:
    """A BBS credential with a pseudonym secret as held."""

    def __init__(self, held: HeldCredential) -> None:
        self._held = held
        self._message = parse_nym_credential(parse_json_object(held.credential.encode()))

    def candidate(self) -> Candidate:
        """See `PresentableCredential.candidate`."""
        message = self._message
        # The right to vote is used in the ballot box and nowhere else.
        types = frozenset((message.vct,)) - {VOTING_CREDENTIAL_TYPE}
        return Candidate(BBS_NYM_FORMAT, types, message.claims)

    def check_accepted(self, metadata: JsonObject | None) -> None:
        """See `PresentableCredential.check_accepted`."""
        check_format(metadata, BBS_NYM_FORMAT, _OWN[BBS_NYM_FORMAT])

    def shown(self, paths: Sequence[ClaimPath]) -> JsonObject:
        """See `PresentableCredential.shown`."""
        return {name: self._message.claims[name] for name in _names(paths)}

    def present(self, paths: Sequence[ClaimPath], binding: Binding | None) -> RawPresentation:
        """See `PresentableCredential.present`."""
        if binding is None:
            raise AssertionError("a BBS credential is not shown without an answer to a request")
        held, message = self._held, self._message
        credential = binding.nyms.finalize(held.key_handle, held.credential_issuer, message)
        return present_nym_credential(
            credential,
            vct=message.vct,
            epoch=message.epoch,
            claims=message.claims,
            show=_names(paths),
            issuer=message.issuer,
            verification_method=message.verification_method,
            request=NymRequest(
                binding.audience,
                binding.nonce,
                binding.pseudonym,
                None if binding.scope is None else binding.scope.context_id,
                receipt_key=binding.claims.get(RECEIPT_KEY),
            ),
            link=None if binding.scope is None else binding.scope.link,
        )


def _names(paths: Sequence[ClaimPath]) -> list[str]:
    """Return the claims that are shown; one is shown whole, whatever part of it is asked for."""
    return list(dict.fromkeys(str(path[0]) for path in paths))


def _w3c_candidate(
    format_: str, credential: Credential, authority_keys: frozenset[bytes] = frozenset()
) -> Candidate:
    claims = {name: value for name, value in credential.document.items() if name != "proof"}
    types = matched_types(credential.document, credential.types)
    return Candidate(format_, types, claims, authority_keys, bool(credential.subject_ids))


def _holder_of(credential: Credential) -> tuple[str, str]:
    """Return the subject's DID and its one key, which the wallet found to be ours on receipt."""
    (holder,) = credential.subject_ids
    (method,) = resolve_self_contained(parse_did(holder)).methods
    return holder, method


def _authority_keys(header: Mapping[str, Any]) -> frozenset[bytes]:
    x5c = header.get("x5c")
    try:
        return frozenset() if x5c is None else authority_key_ids(parse_x5c(x5c))
    except SeoulWalletError:
        return frozenset()


_FORMATS: Final[Mapping[str, Callable[[HeldCredential], PresentableCredential]]] = {
    SD_JWT_VC_FORMAT: SdJwtPresentable,
    JWT_VC_FORMAT: JwtVcPresentable,
    LDP_VC_FORMAT: LdpVcPresentable,
    BBS_NYM_FORMAT: NymPresentable,
}


def presentable(held: HeldCredential) -> PresentableCredential:
    """Return a held credential by its format."""
    return _FORMATS[held.format](held)


def check_answerable(query: CredentialQuery, metadata: JsonObject | None) -> None:
    """Return if this wallet could make what is asked for, whatever cards it holds.

    Raises `FormatsNotSupported`, `RequestMalformed`.
    """
    if query.format not in _FORMATS:
        raise FormatsNotSupported("this wallet makes no presentations of the format")
    check_format(metadata, query.format, _OWN[query.format])

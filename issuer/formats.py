"""How one credential is signed in each format, and what its leaf in an anchor batch is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from issuer.bitstring import PURPOSES
from issuer.calendar import end_of, start_of
from issuer.catalogue import CredentialContent
from issuer.identity import IssuerIdentity
from issuer.ports import Issuance
from wallet.credentials.cryptosuites.ecdsa_rdfc_2019 import ECDSA_RDFC_2019
from wallet.credentials.cryptosuites.ecdsa_sd_2023 import ECDSA_SD_2023
from wallet.credentials.data_integrity.issue import (
    ProofOptions,
    issue_credential,
    issue_disclosable_credential,
)
from wallet.credentials.formats import JWT_VC_FORMAT, LDP_VC_FORMAT, SD_JWT_VC_FORMAT
from wallet.credentials.jose import sign_jws
from wallet.credentials.jsonld.pinned import CREDENTIALS_V1, CREDENTIALS_V2
from wallet.credentials.jsonld.seoul import SEOUL_CONTEXT, seoul_json_ld
from wallet.credentials.sd_jwt import issue_sd_jwt_vc
from wallet.credentials.vcdm.fields import format_date_time
from wallet.crypto.keys import PublicKey
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vci.configuration import CredentialConfiguration
from wallet.status.bitstring import BitstringStatusEntry

# What every verifier sees of a credential that is shown in parts: who, whom, when, and its status.
MANDATORY_POINTERS: Final = (
    "/issuer",
    "/validFrom",
    "/validUntil",
    "/credentialStatus",
    "/credentialSubject/id",
)


@dataclass(frozen=True, slots=True)
class ProvenHolder:
    """The key to bind to. `did` is how the wallet spelled it, None for a bare `jwk`."""

    key: PublicKey
    did: str | None = None

    @property
    def subject(self) -> str:
        """The holder's DID, in the wallet's own spelling if it has one."""
        return self.did or did_jwk_from_public_key(self.key)


@dataclass(frozen=True, slots=True)
class SignedCredential:
    """A new credential, and the bytes that its signature covers."""

    credential: str | JsonObject
    signed_input: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a credential says, whatever its format."""

    configuration: CredentialConfiguration
    issuance: Issuance
    content: CredentialContent
    day: date
    renewal_years: int

    @property
    def expires_at(self) -> int:
        """When it ends, unix seconds.

        `exp` is always visible, and the last day of a family's right tells a child's birthday: a
        common renewal date shared by most holders says less, until the right really ends.
        """
        renewal = date(self.day.year + self.renewal_years, 12, 31)
        return end_of(min(self.content.valid_until, renewal))

    @property
    def issued_at(self) -> int:
        """The day of issuing: the second would join the holder's presentations."""
        return start_of(self.day)

    def status(self, identity: IssuerIdentity) -> JsonObject:
        """Return the `status` claim of a JWT."""
        uri = identity.status_list_uri(self.issuance.list_number)
        return {"status_list": {"idx": self.issuance.status_index, "uri": uri}}


def sign_credential(
    draft: Draft, holder: ProvenHolder, identity: IssuerIdentity
) -> SignedCredential:
    """Sign a credential in the format of its configuration, bound to the holder's key."""
    signers = {
        SD_JWT_VC_FORMAT: _sign_sd_jwt,
        JWT_VC_FORMAT: _sign_jwt_vc,
        LDP_VC_FORMAT: _sign_ldp_vc,
    }
    return signers[draft.configuration.format](draft, holder, identity)


def _sign_sd_jwt(draft: Draft, holder: ProvenHolder, identity: IssuerIdentity) -> SignedCredential:
    claims: JsonObject = {
        "iss": identity.did,
        "vct": draft.issuance.credential_type,
        "exp": draft.expires_at,
        "status": draft.status(identity),
        # Even the day is the holder's to show.
        "iat": draft.issued_at,
        **draft.content.visible,
        **draft.content.claims,
    }
    issued = issue_sd_jwt_vc(
        claims,
        [("iat",), *((name,) for name in draft.content.claims), *draft.content.members],
        identity.key,
        verification_method=identity.verification_method,
        holder=holder.key,
    )
    return SignedCredential(issued.compact, issued.signing_input)


def _sign_jwt_vc(draft: Draft, holder: ProvenHolder, identity: IssuerIdentity) -> SignedCredential:
    """Sign a JWT of the data model 1.1 §6.3.1, as OpenID4VCI App. A.1.1 has it."""
    subject = holder.subject
    claims: JsonObject = {
        "iss": identity.did,
        "sub": subject,
        "nbf": draft.issued_at,
        "exp": draft.expires_at,
        "status": draft.status(identity),
        "vc": {
            "@context": [CREDENTIALS_V1],
            "type": list(draft.configuration.types),
            "credentialSubject": {"id": subject, **draft.content.claims},
        },
    }
    compact = sign_jws(identity.key, {"typ": "JWT", "kid": identity.verification_method}, claims)
    return SignedCredential(compact, compact.rpartition(".")[0].encode("ascii"))


def _sign_ldp_vc(draft: Draft, holder: ProvenHolder, identity: IssuerIdentity) -> SignedCredential:
    """Sign a credential of the data model 2.0 by Data Integrity."""
    entries = [
        BitstringStatusEntry(
            identity.bitstring_list_uri(draft.issuance.list_number, purpose),
            draft.issuance.status_index,
            purpose,
        ).to_json()
        for purpose in PURPOSES
    ]
    unsigned: JsonObject = {
        "@context": [CREDENTIALS_V2, SEOUL_CONTEXT],
        "type": list(draft.configuration.types),
        "issuer": identity.did,
        "validFrom": format_date_time(draft.issued_at),
        "validUntil": format_date_time(draft.expires_at),
        "credentialSubject": {"id": holder.subject, **draft.content.claims},
        "credentialStatus": entries,
    }
    options = ProofOptions(identity.verification_method, created=draft.issued_at)
    if ECDSA_SD_2023.name in draft.configuration.signing_algorithms:
        secured = issue_disclosable_credential(
            unsigned,
            identity.key,
            options,
            ECDSA_SD_2023,
            mandatory_pointers=MANDATORY_POINTERS,
            json_ld=seoul_json_ld(),
        )
    else:
        secured = issue_credential(
            unsigned, identity.key, options, ECDSA_RDFC_2019, json_ld=seoul_json_ld()
        )
    return SignedCredential(secured.document, secured.signed_input)

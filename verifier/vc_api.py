"""Plain checks of W3C credentials and presentations, for agencies that speak VC-API.

Signatures, dates and Bitstring statuses; nobody asks whether the issuer is accredited. So what
comes out is a `VerifiedCredential` or `VerifiedVcPresentation`, and reaches no decision. The keys
and lists that the input names are fetched: a development composition only.
"""

from __future__ import annotations

from typing import Final

from wallet.credentials.data_integrity.verify import (
    ASSERTION,
    Expectations,
    ProofNotByIssuer,
    VerifiedCredential,
    VerifiedDataIntegrityProof,
    peek_controllers,
    verify_credential,
    verify_proofs,
)
from wallet.credentials.jose import parse_compact_jws
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.credentials.vc_jose import (
    CREDENTIAL_TYPE,
    PRESENTATION_TYPE,
    open_credential_envelope,
    open_presentation_envelope,
    verify_credential_jwt,
)
from wallet.credentials.vc_presentation import (
    PresentationPolicy,
    VerifiedVcPresentation,
    verify_presentation,
    verify_presentation_jwt,
)
from wallet.credentials.vcdm.credential import Credential, parse_credential
from wallet.credentials.vcdm.presentation import (
    ENVELOPED_CREDENTIAL,
    ENVELOPED_PRESENTATION,
    is_enveloped,
    parse_presentation,
)
from wallet.credentials.vcdm.related import check_related_resources
from wallet.did.document import DidDocument
from wallet.did.syntax import Did, parse_did_url
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import RejectedError
from wallet.ports.clock import Clock
from wallet.ports.facts import CredentialSource, DidResolver
from wallet.status.bitstring import BitstringStatusEntry, check_bitstring_status
from wallet.verification.bitstring_list import LIST_CREDENTIAL_TYPE, bitstring_entries

_EVERY_CREDENTIAL: Final = frozenset(("VerifiableCredential",))


class StatusSet(RejectedError):
    """The credential is revoked, suspended or otherwise marked by its issuer."""

    code = "status_set"


class StatusListNotOfIssuer(RejectedError):
    """The status list that the credential names is not one of its issuer's."""

    code = "status_list_not_of_issuer"


class ProofChecker:
    """Verifies what is posted, with the facts that it names."""

    def __init__(
        self,
        *,
        dids: DidResolver,
        lists: CredentialSource,
        clock: Clock,
        json_ld: Canonicalizer,
    ) -> None:
        self._dids = dids
        self._lists = lists
        self._clock = clock
        self._json_ld = json_ld

    def check_credential(self, document: JsonObject) -> VerifiedCredential:
        """Return the credential if proofs, dates and statuses are good. It may be enveloped.

        Raises what `verify_credential` and `verify_credential_jwt` raise, `StatusSet`,
        `StatusListNotOfIssuer`, `UnsupportedStatusType`, `TooManyStatuses`, `StatusListMalformed`,
        `StatusListUnavailable` and `DidUnresolvable`.
        """
        verified = self._verify(document)
        self._check_statuses(verified.credential)
        return verified

    def check_proofs(self, document: JsonObject) -> tuple[VerifiedDataIntegrityProof, ...]:
        """Return the proofs on a credential whose issuer is a URL that is no DID.

        Such a URL says nothing about keys, so whose proofs they are stays open; all else is as
        in `check_credential`. Raises what that raises, `ProofNotByIssuer` for an issuer that is
        a DID.
        """
        credential = parse_credential(document)
        if names_keys(credential.issuer):
            raise ProofNotByIssuer("no proof is by a key of the issuer")
        documents, now = self._resolve(peek_controllers(document)), self._clock.now()
        expectations = Expectations(ASSERTION)
        proofs = verify_proofs(document, documents, expectations, now=now, json_ld=self._json_ld)
        check_related_resources(credential, self._json_ld.contexts.documents)
        credential.check_validity(now, expectations.clock_skew_s)
        self._check_statuses(credential)
        return proofs

    def _verify(self, document: JsonObject) -> VerifiedCredential:
        now = self._clock.now()
        if is_enveloped(document, ENVELOPED_CREDENTIAL):
            token = open_credential_envelope(document)
            return verify_credential_jwt(token, self._resolve(_signer(token)), now=now)
        documents = self._resolve(peek_controllers(document))
        return verify_credential(document, documents, now=now, json_ld=self._json_ld)

    def check_presentation(
        self, document: JsonObject, *, challenge: str, domain: str | None
    ) -> VerifiedVcPresentation:
        """Return the presentation if it and every credential inside are good.

        It may be about somebody else than the holder, or about nobody: a presentation without
        credentials shows who has a key. Raises what `verify_presentation` and `check_credential`
        raise.
        """
        policy = PresentationPolicy(
            challenge,
            domain,
            bearer_types=_EVERY_CREDENTIAL,
            json_ld=self._json_ld,
            may_be_empty=True,
        )
        now = self._clock.now()
        if is_enveloped(document, ENVELOPED_PRESENTATION):
            token = open_presentation_envelope(document)
            claims = parse_compact_jws(token, typ=PRESENTATION_TYPE).peek_claims()
            controllers = _signer(token, PRESENTATION_TYPE) | _controllers_inside(claims)
            documents = self._resolve(controllers)
            verified = verify_presentation_jwt(token, documents, policy, now=now)
        else:
            documents = self._resolve(peek_controllers(document) | _controllers_inside(document))
            verified = verify_presentation(document, documents, policy, now=now)
        for credential in verified.credentials:
            self._check_statuses(credential.credential)
        return verified

    def _resolve(self, controllers: frozenset[Did]) -> dict[str, DidDocument]:
        return {str(did): self._dids.resolve(did).value for did in controllers}

    def _check_statuses(self, credential: Credential) -> None:
        for entry in bitstring_entries(credential.statuses):
            self._check_status(entry, credential.issuer)

    def _check_status(self, entry: BitstringStatusEntry, issuer: str) -> None:
        fetched = parse_json_object(self._lists.fetch_credential(entry.list_credential))
        listed = self._verify(fetched).credential
        if (
            listed.issuer != issuer
            or listed.id not in (None, entry.list_credential)
            or LIST_CREDENTIAL_TYPE not in listed.types
            or len(listed.subjects) != 1
        ):
            raise StatusListNotOfIssuer("the status list is not the one of the issuer")
        if check_bitstring_status(entry, listed.subjects[0]):
            raise StatusSet(f"the status for {entry.purpose} is set")


def names_keys(issuer: str) -> bool:
    """Return whether an issuer's URL leads to keys, which then must be those of a proof."""
    return issuer.startswith("did:")


def _signer(token: str, typ: str = CREDENTIAL_TYPE) -> frozenset[Did]:
    return frozenset((parse_did_url(parse_compact_jws(token, typ=typ).kid).did,))


def _controllers_inside(document: JsonObject) -> frozenset[Did]:
    members = {name: value for name, value in document.items() if name != "proof"}
    found: set[Did] = set()
    for inner in parse_presentation(members).credentials:
        if is_enveloped(inner, ENVELOPED_CREDENTIAL):
            found |= _signer(open_credential_envelope(inner))
        else:
            found |= peek_controllers(inner)
    return frozenset(found)

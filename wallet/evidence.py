"""Collect what a verification needs, through ports: where verification meets I/O, alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from wallet.credentials.type_metadata import (
    TypeMetadata,
    TypeMetadataMalformed,
    resolve_type_metadata,
)
from wallet.crypto.certificates import TrustAnchors
from wallet.did.did_ethr import METHOD as METHOD_ETHR
from wallet.did.did_ethr import EthrHistory
from wallet.did.document import DidDocument
from wallet.did.ethr_document import keys_at
from wallet.did.syntax import parse_did
from wallet.errors import SeoulWalletError
from wallet.ports.facts import (
    AnchorReplica,
    DidHistories,
    DidResolver,
    IssuerMetadataSource,
    ManifestSource,
    StatusListSource,
    TypeMetadataSource,
    TypeMetadataUnavailable,
)
from wallet.recent import RecentlyUsed
from wallet.trust.facts import AnchorFacts, IssuerNotAccredited
from wallet.trust.identifiers import issuer_id, schema_id, status_list_id
from wallet.verification.bitstring_list import VerifiedBitstringList, verify_bitstring_list
from wallet.verification.checked_lists import CheckedList, ListName, checked_lists
from wallet.verification.evidence import Evidence, Fact, FactMissing, Maybe
from wallet.verification.issuer_key import NO_ANCHORS, CarriedCertificates, IssuerKeys
from wallet.verification.manifest import (
    BatchManifestInvalid,
    VerifiedManifest,
    checked_manifests,
    verify_manifest,
)
from wallet.verification.pipeline import VerifiedPresentation
from wallet.verification.policy import DEFAULT_CLOCK_SKEW_S
from wallet.verification.presented import Presented
from wallet.verification.requirements import Requirements, requirements
from wallet.verification.status import (
    VerifiedStatusList,
    status_list_key,
    status_list_key_hint,
    verify_status_list_under,
)
from wallet.verification.trust_steps import check_list_age, check_list_is_newest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FactSources:
    """The ports that evidence is collected through.

    `issuer_metadata` is asked for issuers that are https URLs and `did_histories` for those that
    are did:ethr; without it there are no keys for them. Status lists and manifests that carry
    certificates are judged by `trust_anchors`. `manifests` is given where they may stand in for
    signatures; each is verified once, and so is each status list.
    """

    dids: DidResolver
    status_lists: StatusListSource
    replica: AnchorReplica
    issuer_metadata: IssuerMetadataSource | None = None
    trust_anchors: TrustAnchors = NO_ANCHORS
    did_histories: DidHistories | None = None
    manifests: ManifestSource | None = None
    checked_manifests: RecentlyUsed[bytes, VerifiedManifest] = field(
        default_factory=checked_manifests
    )
    checked_lists: RecentlyUsed[ListName, CheckedList] = field(default_factory=checked_lists)


def collect(presented: Presented, sources: FactSources) -> Evidence:
    """Return the evidence for one presentation; what cannot be had is recorded with its reason.

    The presentation is not verified yet, so nothing that it names is fetched unless the replica
    knows its issuer: a stranger cannot send this process to addresses of its choice. Raises
    `JsonMalformed` when the claims are not a JSON object.
    """
    return collect_required(requirements(presented), sources)


def collect_required(needs: Requirements, sources: FactSources) -> Evidence:
    """As `collect`, for what a presentation was found to need."""
    anchor = _attempt(
        lambda: sources.replica.anchor_facts(
            needs.issuer_id, needs.schema_id, needs.batch_root, needs.status_list_id
        )
    )
    if not isinstance(anchor, Fact):
        return Evidence(anchor, anchor, anchor)
    if not anchor.value.issuer_scopes:
        unknown = IssuerNotAccredited("the issuer was never accredited for this credential type")
        return Evidence(unknown, anchor, unknown)
    issuer_keys = _attempt(lambda: _issuer_keys(needs, anchor.as_of, sources))
    return Evidence(
        issuer_keys,
        anchor,
        _attempt(lambda: _status_list(needs, issuer_keys, sources)),
        _attempt(lambda: _manifest(needs, issuer_keys, anchor, sources)),
        {uri: _bitstring_list(uri, needs, issuer_keys, sources) for uri in needs.bitstring_uris},
    )


def _attempt(fetch: Callable[[], Fact[T]]) -> Maybe[T]:
    try:
        return fetch()
    except SeoulWalletError as error:
        return error


def _issuer_keys(needs: Requirements, as_of: int, sources: FactSources) -> Fact[IssuerKeys]:
    if needs.certified:
        return Fact(CarriedCertificates(), as_of)
    if needs.issuer.startswith("https:") or needs.issuer.startswith("http:"):
        if sources.issuer_metadata is None:
            raise FactMissing("the metadata of issuers is not looked up here")
        return sources.issuer_metadata.resolve(needs.issuer)
    did = parse_did(needs.issuer)
    if did.method == METHOD_ETHR:
        if sources.did_histories is None:
            raise FactMissing("the changes of did:ethr identifiers are not followed here")
        return sources.did_histories.did_history(did)
    return sources.dids.resolve(did)


def _status_list(
    needs: Requirements, issuer_keys: Maybe[IssuerKeys], sources: FactSources
) -> Fact[VerifiedStatusList]:
    if needs.status_list_uri is None:
        raise FactMissing("the credential names no status list")
    if not isinstance(issuer_keys, Fact):
        raise FactMissing("the issuer's keys are needed to verify its status list")
    uri, issuer = needs.status_list_uri, needs.issuer
    token = sources.status_lists.fetch(uri)
    name = ListName.of(token.value, uri, issuer)
    known = sources.checked_lists.get(name)
    hint = status_list_key_hint(token.value) if known is None else known.hint
    # Certificates are judged as of the fetch; the list's age is limited when it is used.
    key = status_list_key(
        hint, issuer, issuer_keys.value, anchors=sources.trust_anchors, now=token.as_of
    )
    if known is None or known.key != key:
        listed = verify_status_list_under(token.value, key, uri=uri, issuer=issuer)
        known = CheckedList(hint, key, listed)
        sources.checked_lists.put(name, known)
    return Fact(known.verified, min(token.as_of, known.verified.issued_at))


def _bitstring_list(
    uri: str, needs: Requirements, issuer_keys: Maybe[IssuerKeys], sources: FactSources
) -> Maybe[VerifiedBitstringList]:
    if not isinstance(issuer_keys, Fact):
        return FactMissing("the issuer's keys are needed to verify its status list")
    keys = issuer_keys.value

    def fetch() -> Fact[VerifiedBitstringList]:
        found = sources.status_lists.fetch(uri)
        document = keys_at(keys, found.as_of) if isinstance(keys, EthrHistory) else keys
        if not isinstance(document, DidDocument):
            raise FactMissing("a Bitstring Status List is signed by a key of a DID")
        listed = verify_bitstring_list(
            found.value,
            uri=uri,
            issuer=needs.issuer,
            documents={needs.issuer: document},
            now=found.as_of,
        )
        return Fact(listed, min(found.as_of, listed.issued_at))

    return _attempt(fetch)


def _manifest(
    needs: Requirements,
    issuer_keys: Maybe[IssuerKeys],
    anchor: Fact[AnchorFacts],
    sources: FactSources,
) -> Fact[VerifiedManifest]:
    batch = anchor.value.batch
    if sources.manifests is None or batch is None:
        raise FactMissing("no batch manifest is asked for")
    known = sources.checked_manifests.get(batch.manifest_digest)
    if known is not None and known.issuer == needs.issuer:
        return Fact(known, anchor.as_of)
    if not isinstance(issuer_keys, Fact):
        raise FactMissing("the issuer's keys are needed to verify its manifest")
    signed = sources.manifests.fetch(needs.issuer, batch.root)
    manifest = verify_manifest(
        signed.value,
        issuer=needs.issuer,
        issuer_keys=issuer_keys.value,
        anchors=sources.trust_anchors,
        now=signed.as_of,
        signed_by=batch.anchored_at,
    )
    if not manifest.is_of(batch):
        raise BatchManifestInvalid("the manifest is not the one that was anchored")
    sources.checked_manifests.put(manifest.digest, manifest)
    return Fact(manifest, anchor.as_of)


def current_status(
    issuer: str, vct: str, uri: str, sources: FactSources, *, now: int, max_age_s: int
) -> VerifiedStatusList:
    """Return an issuer's status list as it is now, for a credential that was accepted before.

    Checked as for a presentation: signed by the issuer, at most `max_age_s` old, and no newer one
    known to the chain. An issuer's own certificates, which travel with a credential, are not at
    hand here. Raises `StatusListUnavailable`, `FactsTooOld`, `StatusListSuperseded` and what else
    says that it cannot be told.
    """
    list_id = status_list_id(uri)
    needs = Requirements(issuer, issuer_id(issuer), schema_id(vct), None, uri, list_id)
    anchor = sources.replica.anchor_facts(needs.issuer_id, needs.schema_id, None, list_id)
    if not anchor.value.issuer_scopes:
        raise IssuerNotAccredited("the issuer was never accredited for this credential type")
    issuer_keys = _issuer_keys(needs, anchor.as_of, sources)
    listed = _status_list(needs, issuer_keys, sources).value
    check_list_age(listed, now=now, max_age_s=max_age_s, skew_s=DEFAULT_CLOCK_SKEW_S)
    check_list_is_newest(listed, anchor.value)
    return listed


def collect_type_metadata(
    verified: VerifiedPresentation, source: TypeMetadataSource
) -> tuple[TypeMetadata, ...]:
    """Return the Type Metadata of a verified presentation's type and of the types it extends.

    Only a `VerifiedPresentation` has an accredited issuer, so nothing is fetched for others. A
    type that is not an https URL has no address (SD-JWT VC §6.3). Raises
    `TypeMetadataUnavailable`, `TypeMetadataMalformed`, `TypeIntegrityMismatch`, `JsonMalformed`.
    """

    def fetch(vct: str) -> bytes:
        if not vct.startswith("https://"):
            raise TypeMetadataUnavailable("the type is not an https URL")
        return source.fetch(vct).value

    integrity = verified.claims.get("vct#integrity")
    if integrity is not None and type(integrity) is not str:
        raise TypeMetadataMalformed("vct#integrity is a string")
    return resolve_type_metadata(verified.vct, integrity, fetch)

"""Collect what a verification needs, through ports: where verification meets I/O, alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from wallet.credentials.sd_jwt import SdJwt
from wallet.did.document import DidDocument
from wallet.did.syntax import parse_did
from wallet.errors import SeoulWalletError
from wallet.ports.facts import AnchorReplica, DidResolver, StatusListSource
from wallet.trust.facts import IssuerNotAccredited
from wallet.verification.evidence import Evidence, Fact, FactMissing, Maybe
from wallet.verification.requirements import Requirements, requirements
from wallet.verification.status import VerifiedStatusList, verify_status_list_token

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FactSources:
    """The ports that evidence is collected through."""

    dids: DidResolver
    status_lists: StatusListSource
    replica: AnchorReplica


def collect(sd_jwt: SdJwt, sources: FactSources) -> Evidence:
    """Return the evidence for one presentation; what cannot be had is recorded with its reason.

    The presentation is not verified yet, so nothing that it names is fetched unless the replica
    knows its issuer: a stranger cannot send this process to addresses of its choice. Raises
    `JsonMalformed` when the claims are not a JSON object.
    """
    needs = requirements(sd_jwt)
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
    issuer_keys = _attempt(lambda: sources.dids.resolve(parse_did(needs.issuer)))
    return Evidence(
        issuer_keys, anchor, _attempt(lambda: _status_list(needs, issuer_keys, sources))
    )


def _attempt(fetch: Callable[[], Fact[T]]) -> Maybe[T]:
    try:
        return fetch()
    except SeoulWalletError as error:
        return error


def _status_list(
    needs: Requirements, issuer_keys: Maybe[DidDocument], sources: FactSources
) -> Fact[VerifiedStatusList]:
    if needs.status_list_uri is None:
        raise FactMissing("the credential names no status list")
    if not isinstance(issuer_keys, Fact):
        raise FactMissing("the issuer's keys are needed to verify its status list")
    token = sources.status_lists.fetch(needs.status_list_uri)
    listed = verify_status_list_token(
        token.value, uri=needs.status_list_uri, issuer=needs.issuer, issuer_keys=issuer_keys.value
    )
    return Fact(listed, min(token.as_of, listed.issued_at))

"""The verifier's check that what was disclosed is what was asked (OpenID4VP 1.0 §6.4, §8.6)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

from wallet.credentials.disclosure import ClaimPath
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError
from wallet.protocols.claims_path import pick_claims
from wallet.protocols.dcql import ClaimQuery, CredentialQuery, DcqlQuery
from wallet.verification.proof_steps import HolderBindingMissing

MAX_PRESENTATIONS: Final = 32
# Registered claims that say nothing about a person: no excess, should an issuer hide them.
_NO_EXCESS: Final = frozenset(("iat", "jti"))


class Answered(Protocol):
    """A verified credential as an answer: what `VerifiedProof` and its W3C twin have in common."""

    @property
    def format(self) -> str:
        """The credential format."""

    @property
    def types(self) -> Collection[str]:
        """Its types, expanded ones included."""

    @property
    def claims(self) -> JsonObject:
        """What it says."""

    @property
    def disclosed(self) -> tuple[ClaimPath, ...]:
        """The places that the holder chose to show."""

    @property
    def is_bound(self) -> bool:
        """Whether somebody proved possession."""

    @property
    def holder_mark(self) -> str | None:
        """What tells its holder from others in one answer, None if nobody proved possession."""

    @property
    def authority_keys(self) -> frozenset[bytes]:
        """The authority key identifiers of its certificates."""


class AnswerIncomplete(RejectedError):
    """A credential or a claim that was asked for is missing, or has a value not asked for."""

    code = "answer_incomplete"


class AnswerExcessive(RejectedError):
    """More was disclosed than was asked for. It must not be kept."""

    code = "answer_excessive"


class AuthorityNotTrusted(RejectedError):
    """The credential's issuer is not under one of the trusted authorities that were asked for."""

    code = "authority_not_trusted"


class HoldersDiffer(RejectedError):
    """The credentials of one answer are bound to different holder keys."""

    code = "holders_differ"


def check_answered_ids(query: DcqlQuery, answered: Mapping[str, Collection[object]]) -> None:
    """Return if the credentials answered are those asked for; looks at ids and counts alone.

    Raises `AnswerIncomplete`, `AnswerExcessive`.
    """
    for name, presentations in answered.items():
        item = query.credentials.get(name)
        if item is None:
            raise AnswerExcessive("the answer names a credential that was not asked for")
        if not presentations:
            raise AnswerIncomplete("the answer names a credential without a presentation")
        if len(presentations) > (MAX_PRESENTATIONS if item.multiple else 1):
            raise AnswerExcessive("more presentations of one credential than asked for")
    wanted: set[str] = set()
    for credential_set in query.sets():
        given = [ids for ids in credential_set.options if all(name in answered for name in ids)]
        if not given and credential_set.required:
            raise AnswerIncomplete("a credential that was asked for is missing")
        wanted.update(name for ids in given for name in ids)
    if not wanted.issuperset(answered):
        raise AnswerExcessive("the answer holds a credential that completes no alternative")


def check_answer(
    query: DcqlQuery,
    answered: Mapping[str, Sequence[Answered]],
    *,
    one_holder: bool = True,
    apart: Collection[str] = (),
) -> dict[str, tuple[JsonObject, ...]]:
    """Return the claims that were asked for, by query id and presentation, and nothing else.

    Claims that the issuer left visible are dropped; *disclosed* claims that nobody asked for
    reject the answer. With `one_holder`, all bound credentials name the same holder key, or show
    the same pseudonym, but for those that answer the queries `apart`, which other means join to
    the rest. Raises
    `AnswerIncomplete`, `AnswerExcessive`, `HoldersDiffer`, `HolderBindingMissing`,
    `AuthorityNotTrusted`.
    """
    check_answered_ids(query, answered)
    result = {
        name: tuple(_asked_claims(query.credentials[name], item) for item in presentations)
        for name, presentations in answered.items()
    }
    bound = [
        item
        for name, presentations in answered.items()
        if name not in apart
        for item in presentations
        if item.is_bound
    ]
    # A mark is a digest of a key: not made where there is nothing to compare it with.
    if one_holder and len(bound) > 1 and len({item.holder_mark for item in bound}) > 1:
        raise HoldersDiffer("the credentials are bound to different holder keys")
    return result


def _asked_claims(query: CredentialQuery, presented: Answered) -> JsonObject:
    if presented.format != query.format or not query.accepts_type(presented.types):
        raise AnswerIncomplete("the credential is of another type than asked for")
    if not query.accepts_authorities(presented.authority_keys):
        raise AuthorityNotTrusted("no authority that was asked for vouches for the credential")
    if query.require_holder_binding and not presented.is_bound:
        raise HolderBindingMissing("the presentation carries no key binding")
    complete = False
    for alternative in query.alternatives():
        places = [claim.select(presented.claims, withheld=True) for claim in alternative]
        if not all(places):
            continue
        complete = True
        if not _has_excess(alternative, presented.disclosed):
            return pick_claims(presented.claims, (path for found in places for path in found))
    if complete:
        raise AnswerExcessive("a claim was disclosed that was not asked for")
    raise AnswerIncomplete("a claim is missing, or its value is not one of those asked for")


def _has_excess(asked: Sequence[ClaimQuery], disclosed: Sequence[ClaimPath]) -> bool:
    exactly = {claim.path for claim in asked}
    return any(
        path not in exactly
        and path[0] not in _NO_EXCESS
        and not any(_belongs(path, claim) for claim in asked)
        for path in disclosed
    )


def _belongs(path: ClaimPath, asked: ClaimQuery) -> bool:
    # On the way to the claim, the claim itself, or inside it. An index may have moved down.
    return all(
        want is None or part == want or (type(want) is int and type(part) is int and part < want)
        for part, want in zip(path, asked.path, strict=False)
    )

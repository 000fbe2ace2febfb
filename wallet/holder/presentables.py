"""Held credentials as queries see them, and as verifiers get them: one place per format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.sd_jwt import (
    ClaimPattern,
    bind_to_key,
    parse_sd_jwt,
    present_sd_jwt,
    select_disclosures,
)
from wallet.crypto.certificates import authority_key_ids, parse_x5c
from wallet.crypto.keys import SigningKey
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError
from wallet.holder.cards import HeldCredential
from wallet.protocols.dcql_match import Candidate, sd_jwt_candidate
from wallet.protocols.oid4vp_metadata import check_format
from wallet.protocols.oid4vp_response import RawPresentation

HOLDER_ALGORITHM: Final = "ES256"


@dataclass(frozen=True, slots=True)
class Binding:
    """What a presentation is bound to. `issued_at` is unix seconds; `claims` go in besides."""

    key: SigningKey
    audience: str
    nonce: str
    issued_at: int
    claims: Mapping[str, Any]


class SdJwtPresentable:
    """An SD-JWT VC as held."""

    def __init__(self, held: HeldCredential) -> None:
        self._parsed = held.parsed()
        self._processed = self._parsed.process(self._parsed.jws.peek_claims())

    def candidate(self) -> Candidate:
        """Return the credential as a query sees it."""
        x5c = self._parsed.jws.header.get("x5c")
        try:
            keys = frozenset[bytes]() if x5c is None else authority_key_ids(parse_x5c(x5c))
        except SeoulWalletError:
            keys = frozenset()
        return sd_jwt_candidate(self._processed.claims, keys)

    def check_accepted(self, metadata: JsonObject | None) -> None:
        """Return if the verifier takes it. Raises `FormatsNotSupported`, `RequestMalformed`."""
        used = {
            "sd-jwt_alg_values": (self._parsed.jws.header["alg"],),
            "kb-jwt_alg_values": (HOLDER_ALGORITHM,),
        }
        check_format(metadata, "dc+sd-jwt", used)

    def shown(self, paths: Sequence[ClaimPath]) -> JsonObject:
        """Return every claim that the verifier will see, read from what would be sent."""
        sent = parse_sd_jwt(self._disclosing(paths))
        return sent.process(sent.jws.peek_claims()).claims

    def present(self, paths: Sequence[ClaimPath], binding: Binding | None) -> RawPresentation:
        """Return the presentation that shows the claims at `paths`, bound unless it is not to."""
        presented = self._disclosing(paths)
        if binding is None:
            return presented
        return bind_to_key(
            presented,
            binding.key,
            audience=binding.audience,
            nonce=binding.nonce,
            issued_at=binding.issued_at,
            hash_name=self._parsed.jws.peek_claims().get("_sd_alg", "sha-256"),
            extra_claims=binding.claims,
        )

    def _disclosing(self, paths: Sequence[ClaimPath]) -> str:
        wanted: list[ClaimPattern] = [tuple(path) for path in paths]
        return present_sd_jwt(self._parsed, select_disclosures(self._processed, wanted))


def presentable(held: HeldCredential) -> SdJwtPresentable:
    """Return a held credential by its format."""
    return SdJwtPresentable(held)

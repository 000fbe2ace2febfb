"""SD-JWT and SD-JWT VC in compact form: issue, parse, present (RFC 9901, SD-JWT VC §3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from wallet.credentials.disclosure import (
    MAX_DISCLOSURES,
    ClaimPath,
    Disclosure,
    ProcessedClaims,
    make_disclosable,
    parse_disclosure,
    process_disclosures,
)
from wallet.credentials.jose import CompactJws, parse_compact_jws, sign_jws
from wallet.crypto.hashing import hash_named
from wallet.crypto.keys import PublicKey, SigningKey
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError

MAX_SD_JWT_BYTES: Final = 256 * 1024
SD_JWT_VC_TYPES: Final = frozenset(("dc+sd-jwt", "vc+sd-jwt"))
KEY_BINDING_TYPE: Final = "kb+jwt"
# Claims that decide validity must always be visible (SD-JWT VC §3.2.2.2).
NEVER_DISCLOSABLE: Final = frozenset(
    ("iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", "aud", "_sd_alg")
)

# A claims path pointer (OpenID4VP §7): None stands for every element of a list.
ClaimPattern = tuple[str | int | None, ...]


class SdJwtMalformed(MalformedError):
    """Not an SD-JWT in compact form, or not one with the claims that an SD-JWT VC needs."""

    code = "sd_jwt_malformed"


class SdJwt(NamedTuple):
    """A parsed, unverified SD-JWT, with or without key binding.

    `presented` is the text up to and including the last `~`, which the key binding hashes.
    `cosignatures` are further signatures over the same claims, in JSON serialization alone.
    """

    jws: CompactJws
    disclosures: tuple[Disclosure, ...]
    key_binding: CompactJws | None
    presented: bytes
    cosignatures: tuple[CompactJws, ...] = ()

    def process(self, signed_claims: JsonObject) -> ProcessedClaims:
        """Put the disclosures into the claims of the JWS (RFC 9901 §7.1).

        Raises `DisclosureMalformed`, and `SdJwtMalformed` when a claim that decides validity was
        selectively disclosed.
        """
        processed = process_disclosures(signed_claims, self.disclosures)
        for path in processed.paths:
            if path[0] in NEVER_DISCLOSABLE:
                raise SdJwtMalformed(f"{path[0]} must not be selectively disclosable")
        return processed

    def digest(self, hash_name: object) -> str:
        """Return the `sd_hash` of what is presented (RFC 9901 §4.3.1)."""
        return base64url.encode(hash_named(hash_name)(self.presented))


def parse_sd_jwt(text: str | bytes, *, typ: frozenset[str] = SD_JWT_VC_TYPES) -> SdJwt:
    """Return the parts of `<JWS>~<disclosure>~…~[<KB-JWT>]`.

    Raises `SdJwtMalformed`, `JwsMalformed`, `DisclosureMalformed`, `UnsupportedAlgorithm` and the
    errors of the encodings. Verifies nothing.
    """
    if len(text) > MAX_SD_JWT_BYTES:
        raise SdJwtMalformed(f"the SD-JWT is longer than {MAX_SD_JWT_BYTES} bytes")
    if not text.isascii():
        raise SdJwtMalformed("an SD-JWT is ASCII")
    raw = text.encode("ascii") if isinstance(text, str) else text
    # The JWS and the key binding are long and hold no ~: searching from both ends skips them.
    first, last = raw.find(b"~"), raw.rfind(b"~")
    if first < 0:
        raise SdJwtMalformed("an SD-JWT holds at least one ~")
    disclosures = raw[first + 1 : last].split(b"~", MAX_DISCLOSURES) if first < last else []
    if len(disclosures) > MAX_DISCLOSURES:
        raise SdJwtMalformed(f"more than {MAX_DISCLOSURES} disclosures")
    binding = raw[last + 1 :]
    return SdJwt(
        parse_compact_jws(raw[:first], typ=typ),
        tuple([parse_disclosure(part) for part in disclosures]),
        parse_compact_jws(binding, typ=KEY_BINDING_TYPE) if binding else None,
        raw[: last + 1],
    )


@dataclass(frozen=True, slots=True)
class IssuedSdJwt:
    """A new SD-JWT and the bytes that its signature covers (the leaf of an anchor batch)."""

    compact: str
    signing_input: bytes


def issue_sd_jwt_vc(
    claims: Mapping[str, Any],
    disclosable: Iterable[ClaimPath],
    key: SigningKey,
    *,
    verification_method: str,
    decoys: int = 0,
    holder: PublicKey | None = None,
) -> IssuedSdJwt:
    """Sign `claims` as an SD-JWT VC.

    `verification_method` becomes `kid`; `holder` becomes `cnf.jwk`. `claims` must hold `iss` and
    `vct`. Raises `SdJwtMalformed` when a claim that decides validity would be hidden.
    """
    paths = tuple(disclosable)
    for path in paths:
        if path[0] in NEVER_DISCLOSABLE:
            raise SdJwtMalformed(f"{path[0]} must not be selectively disclosable")
    if "vct" not in claims or "iss" not in claims:
        raise SdJwtMalformed("an SD-JWT VC names its issuer and type")
    prepared = make_disclosable(claims, paths, decoys=decoys)
    signed = prepared.signed_claims
    if holder is not None:
        signed = {**signed, "cnf": {"jwk": holder.jwk}}
    jws = sign_jws(key, {"typ": "dc+sd-jwt", "kid": verification_method}, signed)
    compact = "~".join([jws, *prepared.disclosures, ""])
    return IssuedSdJwt(compact, jws.rpartition(".")[0].encode("ascii"))


def select_disclosures(
    processed: ProcessedClaims, wanted: Sequence[ClaimPattern]
) -> frozenset[int]:
    """Return the indexes of the disclosures that show the claims at `wanted`, parents included.

    A wanted path shows what is at it and below it; None stands for every element of a list.
    """
    chosen: set[int] = set()
    for index, path in enumerate(processed.paths):
        if any(_on_the_way(path, want) for want in wanted):
            current: int | None = index
            while current is not None and current not in chosen:
                chosen.add(current)
                current = processed.parents[current]
    return frozenset(chosen)


def _on_the_way(path: ClaimPath, wanted: ClaimPattern) -> bool:
    return all(want in (None, part) for part, want in zip(path, wanted, strict=False))


def present_sd_jwt(sd_jwt: SdJwt, chosen: frozenset[int]) -> str:
    """Return the compact SD-JWT with only the disclosures at the indexes in `chosen`."""
    jws = sd_jwt.presented[: sd_jwt.presented.index(b"~")]
    kept = [item.encoded for index, item in enumerate(sd_jwt.disclosures) if index in chosen]
    return b"~".join([jws, *kept, b""]).decode("ascii")


def bind_to_key(
    presented: str,
    key: SigningKey,
    *,
    audience: str,
    nonce: str,
    issued_at: int,
    hash_name: str = "sha-256",
    extra_claims: Mapping[str, Any] | None = None,
) -> str:
    """Append a key binding JWT to an SD-JWT that ends with `~` (RFC 9901 §4.3).

    `extra_claims` carries what else the holder binds, such as an anchor receipt.
    """
    digest = base64url.encode(hash_named(hash_name)(presented.encode("ascii")))
    claims: JsonObject = {
        **(extra_claims or {}),
        "iat": issued_at,
        "aud": audience,
        "nonce": nonce,
        "sd_hash": digest,
    }
    return presented + sign_jws(key, {"typ": KEY_BINDING_TYPE}, claims)

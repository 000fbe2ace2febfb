"""Key attestations (App. D): a wallet's provider vouches for where its keys are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.jose import claim_time, parse_compact_jws, sign_jws, verify_jws
from wallet.crypto.keys import PublicKey, SignatureInvalid, SigningKey, parse_jwk, thumbprint
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError, UnsupportedError
from wallet.protocols.oid4vci.client_attestation import ProviderNotTrusted, TrustedProviders
from wallet.protocols.oid4vci.url import Oid4vciMessageMalformed, list_of, object_of, texts_of

KEY_ATTESTATION_TYPE: Final = "key-attestation+jwt"
KEY_ATTESTATION_ALGORITHMS: Final = frozenset(("ES256",))
MAX_KEY_ATTESTATION_CHARACTERS: Final = 32 * 1024
MAX_ATTESTED_KEYS: Final = 32
MAX_LEVELS: Final = 16
MAX_CLOCK_SKEW_S: Final = 60
_MAX_LEVEL_CHARACTERS: Final = 256


class KeyAttestationInvalid(RejectedError):
    """The key attestation is not one, has expired, or is not about the key that is proven."""

    code = "key_attestation_invalid"


@dataclass(frozen=True, slots=True)
class KeyAttestationsRequired:
    """`key_attestations_required` of the metadata (§12.2.4): the levels that an issuer accepts.

    Empty, any level will do; else an attestation names at least one of those listed.
    """

    key_storage: tuple[str, ...] = ()
    user_authentication: tuple[str, ...] = ()

    def to_json(self) -> JsonObject:
        """Return the member; lists that are empty are left out."""
        members = {
            "key_storage": list(self.key_storage),
            "user_authentication": list(self.user_authentication),
        }
        return {name: levels for name, levels in members.items() if levels}


def parse_key_attestations_required(value: object) -> KeyAttestationsRequired | None:
    """Return the requirement of its JSON form; None if it is absent.

    Raises `Oid4vciMessageMalformed`.
    """
    if value is None:
        return None
    required = object_of(value, "key_attestations_required")
    return KeyAttestationsRequired(
        _levels(required, "key_storage"), _levels(required, "user_authentication")
    )


@dataclass(frozen=True, slots=True)
class VerifiedKeyAttestation:
    """What a trusted provider vouches for. Whether `nonce` is the issuer's is yet to be seen.

    `keys` are thumbprints (RFC 7638) of the attested keys of kinds that are known here.
    """

    keys: frozenset[str]
    nonce: str | None
    key_storage: tuple[str, ...] = ()
    user_authentication: tuple[str, ...] = ()


def build_key_attestation(
    provider: SigningKey,
    keys: Sequence[PublicKey],
    *,
    issuer: str,
    nonce: str,
    issued_at: int,
    expires_at: int,
    levels: KeyAttestationsRequired | None = None,
) -> str:
    """Return the attestation that a wallet's provider called `issuer` gives for some keys."""
    claims: JsonObject = {
        "iss": issuer,
        "iat": issued_at,
        "exp": expires_at,
        "nonce": nonce,
        "attested_keys": [key.jwk for key in keys],
        **(levels or KeyAttestationsRequired()).to_json(),
    }
    return sign_jws(provider, {"typ": KEY_ATTESTATION_TYPE}, claims)


def verify_key_attestation(
    token: str, *, providers: TrustedProviders, now: int
) -> VerifiedKeyAttestation:
    """Return what a key attestation says that comes with a proof of type `jwt` (App. D.1, F.1).

    The signer is one of `providers`, by a chain in `x5c` or by `iss`; `exp` must be there, for it
    goes with a key proof. Raises `ProviderNotTrusted` for a signer that is not known here, of
    whom nothing was verified, and else only `KeyAttestationInvalid`. Checks no `status`.
    """
    try:
        if len(token) > MAX_KEY_ATTESTATION_CHARACTERS:
            raise KeyAttestationInvalid("the key attestation is too long")
        jws = parse_compact_jws(token, typ=KEY_ATTESTATION_TYPE)
        if jws.header["alg"] not in KEY_ATTESTATION_ALGORITHMS:
            raise KeyAttestationInvalid("expected alg ES256")
        verify_jws(jws, providers.key_of(jws, now=now))
        claims = jws.peek_claims()
        _check_times(claims, now)
        return VerifiedKeyAttestation(
            _thumbprints(claims.get("attested_keys")),
            _nonce(claims.get("nonce")),
            _levels(claims, "key_storage"),
            _levels(claims, "user_authentication"),
        )
    except SignatureInvalid:
        raise KeyAttestationInvalid("the key attestation's signature does not verify") from None
    except (ProviderNotTrusted, KeyAttestationInvalid):
        raise
    except (MalformedError, UnsupportedError) as error:
        raise KeyAttestationInvalid(f"not a key attestation: {error}") from error


def _check_times(claims: Mapping[str, Any], now: int) -> None:
    issued_at = claim_time(claims, "iat", required=True) or 0
    expires_at = claim_time(claims, "exp", required=True) or 0
    not_before = claim_time(claims, "nbf") or 0
    if max(issued_at, not_before) > now + MAX_CLOCK_SKEW_S or expires_at <= now - MAX_CLOCK_SKEW_S:
        raise KeyAttestationInvalid("the key attestation is of another time")


def _thumbprints(value: object) -> frozenset[str]:
    found = set()
    for jwk in list_of(value, "attested_keys", max_items=MAX_ATTESTED_KEYS):
        try:
            found.add(thumbprint(parse_jwk(jwk)))
        except UnsupportedError:
            continue
    return frozenset(found)


def _nonce(value: object) -> str | None:
    if value is not None and type(value) is not str:
        raise Oid4vciMessageMalformed("nonce is a string")
    return value


def _levels(value: Mapping[str, Any], name: str) -> tuple[str, ...]:
    if name not in value:
        return ()
    levels = texts_of(
        value[name], name, max_items=MAX_LEVELS, max_characters=_MAX_LEVEL_CHARACTERS
    )
    if not levels:
        raise Oid4vciMessageMalformed(f"{name} is empty")
    return levels

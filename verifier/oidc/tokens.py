"""What relying parties are told: the pairwise identifier, and the ID token (OIDC Core §2, §8)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from verifier.oidc.request import AuthenticationRefused
from wallet.credentials.jose import parse_compact_jws, sign_jws, verify_jws
from wallet.crypto.keys import SigningKey, thumbprint
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError

ID_TOKEN_TTL_S: Final = 300
ID_TOKEN_TYPE: Final = "JWT"  # noqa: S105
# One way to log in: a key in the wallet that the city bound an account to, checked just now.
ACR: Final = "urn:seoul-wallet:acr:wallet:1"
AMR: Final = ("pop",)


def pairwise_subject(key: bytes, sector_identifier: str, account_id: str) -> str:
    """Return by what a person is known at the sites of one sector, and at no other.

    The account id is the issuer's and stays through re-issue, so this does. Without the key
    nobody can tell whether two belong to one person, not even who knows the account id.
    """
    message = f"{sector_identifier}\0{account_id}".encode()
    return base64url.encode(hmac.new(key, message, sha256).digest())


def half_hash(text: str) -> str:
    """Return `at_hash` of an access token for ES256 (OIDC Core §3.1.3.6)."""
    return base64url.encode(sha256(text.encode("ascii")).digest()[:16])


@dataclass(frozen=True, slots=True)
class IdTokens:
    """Signs and knows again the ID tokens of one provider."""

    issuer: str
    key: SigningKey

    @property
    def jwks(self) -> JsonObject:
        """The key set that relying parties verify with."""
        public = self.key.public_key
        about = {"kid": thumbprint(public), "use": "sig", "alg": public.algorithm}
        return {"keys": [{**public.jwk, **about}]}

    def issue(
        self,
        *,
        client_id: str,
        sub: str,
        nonce: str | None,
        auth_time: int,
        access_token: str,
        now: int,
    ) -> str:
        """Return an ID token: who logged in and when, no claim about them."""
        claims: JsonObject = {
            "iss": self.issuer,
            "sub": sub,
            "aud": client_id,
            "iat": now,
            "exp": now + ID_TOKEN_TTL_S,
            "auth_time": auth_time,
            "acr": ACR,
            "amr": list(AMR),
            "at_hash": half_hash(access_token),
        }
        if nonce is not None:
            claims["nonce"] = nonce
        header = {"typ": ID_TOKEN_TYPE, "kid": thumbprint(self.key.public_key)}
        return sign_jws(self.key, header, claims)

    def hinted_subject(self, hint: str, client_id: str) -> str:
        """Return the `sub` of an `id_token_hint`, expired or not.

        Raises `AuthenticationRefused` for what this provider did not sign for this client.
        """
        try:
            jws = parse_compact_jws(hint, typ=ID_TOKEN_TYPE.lower())
            verify_jws(jws, self.key.public_key)
            claims = jws.peek_claims()
        except SeoulWalletError:
            raise AuthenticationRefused("invalid_request") from None
        sub = claims.get("sub")
        if (claims.get("iss"), claims.get("aud")) != (self.issuer, client_id) or not sub:
            raise AuthenticationRefused("invalid_request")
        return str(sub)

"""The signed list of a programme catalogue, with what verifies it."""

from tests.support.credentials import NOW
from tests.support.oauth_tokens import Token
from wallet.crypto.keys import Es256SigningKey
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.did.resolve import resolve_self_contained
from wallet.did.syntax import parse_did
from wallet.eligibility.catalogue import build_catalogue
from wallet.eligibility.signed_catalogue import publish_catalogue, verify_published_catalogue
from wallet.encoding.json import parse_json_object, to_json


def catalogue_token() -> Token:
    """Return the list of an empty catalogue; its documents travel beside it."""
    key = Es256SigningKey.generate()
    publisher = did_jwk_from_public_key(key.public_key)
    document = resolve_self_contained(parse_did(publisher))
    published = parse_json_object(
        publish_catalogue(
            build_catalogue(()),
            key,
            publisher=publisher,
            verification_method=f"{publisher}#0",
            apply_to={},
            issued_at=NOW,
            expires_at=NOW + 3600,
        )
    )

    def check(token: str) -> object:
        data = to_json({**published, "catalogue": token})
        return verify_published_catalogue(data, publisher=publisher, document=document, now=NOW)

    return Token(published["catalogue"], key, check, ("iss", "iat", "exp", "programmes"))

"""The names of credential formats (OpenID4VCI 1.0 App. A, OpenID4VP 1.0 App. B), and of types."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from wallet.credentials.jsonld.pinned import CREDENTIALS_V1, CREDENTIALS_V2
from wallet.credentials.jsonld.seoul import REGISTERED_TYPES, SEOUL_CONTEXT, VOCABULARY
from wallet.credentials.vcdm.fields import CredentialMalformed
from wallet.encoding.json import JsonObject

SD_JWT_VC_FORMAT: Final = "dc+sd-jwt"
JWT_VC_FORMAT: Final = "jwt_vc_json"
LDP_VC_FORMAT: Final = "ldp_vc"
# Of this project: a blind BBS signature with a pseudonym secret, see `bbs_nym`.
BBS_NYM_FORMAT: Final = "seoul-bbs-nym"
W3C_FORMATS: Final = frozenset((JWT_VC_FORMAT, LDP_VC_FORMAT))
VERIFIABLE_CREDENTIAL: Final = "VerifiableCredential"
SUBJECT: Final = "credentialSubject"
_BASE_IRI: Final = f"https://www.w3.org/2018/credentials#{VERIFIABLE_CREDENTIAL}"


def specific_type(types: Collection[str]) -> str:
    """Return the one type of a W3C credential besides `VerifiableCredential`.

    An issuer is accredited for one type, so a credential of two would let it speak for the other.
    Raises `CredentialMalformed`.
    """
    named = [name for name in types if name != VERIFIABLE_CREDENTIAL]
    if len(named) != 1:
        raise CredentialMalformed("a credential has one type besides VerifiableCredential")
    return named[0]


def registered_type(name: str) -> str:
    """Return the name under which issuers are accredited for a W3C type: its own, if no other."""
    return REGISTERED_TYPES.get(name.removeprefix(VOCABULARY), name)


def type_names(registered: Collection[str]) -> frozenset[str]:
    """Return the names that W3C credentials of these types have: the reverse of the former."""
    own = frozenset(name for name, known in REGISTERED_TYPES.items() if known in registered)
    return own | (frozenset(registered) - frozenset(REGISTERED_TYPES.values()))


def matched_types(document: JsonObject, types: Collection[str]) -> frozenset[str]:
    """Return the types that `type_values` may name: as they stand, and expanded where known.

    OpenID4VP B.1.1 asks for expanded IRIs; wallets and verifiers compare the plain names too.
    """
    contexts = document.get("@context")
    named = contexts if type(contexts) is list else [contexts]
    found = set(types)
    if VERIFIABLE_CREDENTIAL in types and named[0] in (CREDENTIALS_V1, CREDENTIALS_V2):
        found.add(_BASE_IRI)
    if SEOUL_CONTEXT in named:
        found.update(VOCABULARY + name for name in types if name in REGISTERED_TYPES)
    return frozenset(found)

"""Transaction data (OpenID4VP 1.0 §5.1, §8.4, Appendix B.3.3): what a holder agrees to besides.

A verifier sends texts; the wallet shows them and binds the hash of each, as it was received, into
the key binding of one credential that the text names. Only `dc+sd-jwt` defines where the hashes
go, so only such credentials authorize transactions here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.formats import SD_JWT_VC_FORMAT
from wallet.crypto.hashing import UnsupportedHash, hash_named
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import MalformedError, RejectedError, UnsupportedError
from wallet.protocols.dcql import DcqlQuery

MAX_TRANSACTIONS: Final = 16
MAX_ENCODED_CHARACTERS: Final = 32 * 1024
MAX_TYPE_CHARACTERS: Final = 256
MAX_TEXT_CHARACTERS: Final = 4000
DEFAULT_HASH: Final = "sha-256"
HASHES_CLAIM: Final = "transaction_data_hashes"
HASH_NAME_CLAIM: Final = "transaction_data_hashes_alg"
# The one type that this wallet can show: a text to agree to, `text` and perhaps `text#ko`.
AGREEMENT_TYPE: Final = "urn:seoul-wallet:agreement:1"


class TransactionDataMalformed(MalformedError):
    """Not transaction data of OpenID4VP 1.0, or data that fits no credential asked for."""

    code = "transaction_data_malformed"


class UnsupportedTransactionData(UnsupportedError):
    """A transaction of a type, or with hashes, that is not implemented."""

    code = "unsupported_transaction_data"


class TransactionDataMismatch(RejectedError):
    """The key binding does not authorize exactly the transactions that were asked."""

    code = "transaction_data_mismatch"


@dataclass(frozen=True, slots=True)
class TransactionData:
    """One transaction. `encoded` is the string as received: what is hashed.

    `credential_ids` are the credential queries one of which authorizes it, `hash_names` the hash
    functions that the verifier takes; empty when it named none.
    """

    encoded: str
    type: str
    credential_ids: tuple[str, ...]
    hash_names: tuple[str, ...]
    body: JsonObject

    def digest(self, hash_name: str) -> str:
        """Return the base64url hash of the string as received. Raises `UnsupportedHash`."""
        return base64url.encode(hash_named(hash_name)(self.encoded.encode("ascii")))

    def text(self, language: str) -> str:
        """Return what the holder agrees to, in the language if it is there."""
        for name in (f"text#{language}", "text"):
            value = self.body.get(name)
            if type(value) is str:
                return value
        return ""


def encode_transaction_data(body: Mapping[str, Any]) -> str:
    """Return the base64url string of one transaction as it travels."""
    return base64url.encode(to_json(dict(body)))


def parse_transaction_data(value: object, query: DcqlQuery) -> tuple[TransactionData, ...]:
    """Return the transactions of the request parameter; none if it is absent.

    Raises `TransactionDataMalformed`, `UnsupportedTransactionData` (a credential of a format that
    cannot bind it, or without holder binding) and the errors of the encodings. Whether the type
    is understood is for `check_type_is_shown`.
    """
    if value is None:
        return ()
    if type(value) is not list or not 0 < len(value) <= MAX_TRANSACTIONS:
        raise TransactionDataMalformed(f"expected a list of 1 to {MAX_TRANSACTIONS} strings")
    return tuple(_parse(item, query) for item in value)


def _parse(encoded: object, query: DcqlQuery) -> TransactionData:
    if type(encoded) is not str or len(encoded) > MAX_ENCODED_CHARACTERS:
        raise TransactionDataMalformed("a transaction is a string of limited length")
    body = parse_json_object(base64url.decode(encoded))
    type_, ids = body.get("type"), _strings(body.get("credential_ids"), "credential_ids")
    if type(type_) is not str or not 0 < len(type_) <= MAX_TYPE_CHARACTERS:
        raise TransactionDataMalformed("type is a string of limited length")
    for name in ids:
        if name not in query.credentials:
            raise TransactionDataMalformed("a credential id that is not in the query")
        item = query.credentials[name]
        if item.format != SD_JWT_VC_FORMAT or not item.require_holder_binding:
            raise UnsupportedTransactionData("only a bound dc+sd-jwt authorizes a transaction")
    names: tuple[str, ...] = ()
    if HASH_NAME_CLAIM in body:
        names = _strings(body[HASH_NAME_CLAIM], HASH_NAME_CLAIM)
    return TransactionData(encoded, type_, ids, names, body)


def _strings(value: object, name: str) -> tuple[str, ...]:
    if type(value) is not list or not 0 < len(value) <= MAX_TRANSACTIONS:
        raise TransactionDataMalformed(f"{name} is a short list of strings")
    if any(type(item) is not str for item in value):
        raise TransactionDataMalformed(f"{name} is a short list of strings")
    return tuple(value)


def check_type_is_shown(item: TransactionData) -> None:
    """Return if a holder can be shown what the transaction says (§8.4).

    Raises `UnsupportedTransactionData`: a wallet never agrees to what it does not understand.
    """
    if item.type != AGREEMENT_TYPE:
        raise UnsupportedTransactionData("a type of transaction that this wallet cannot show")
    text = item.body.get("text")
    if type(text) is not str or not 0 < len(text) <= MAX_TEXT_CHARACTERS:
        raise UnsupportedTransactionData("an agreement has a text of limited length")
    choose_hash((item,))


def choose_hash(items: Sequence[TransactionData]) -> str:
    """Return a hash function that all of the transactions allow, SHA-256 if they do.

    Raises `UnsupportedTransactionData`.
    """
    for name in ("sha-256", "sha-384", "sha-512"):
        if all(name in (item.hash_names or (DEFAULT_HASH,)) for item in items):
            return name
    raise UnsupportedTransactionData("no hash function that all transactions allow")


def transaction_claims(items: Sequence[TransactionData]) -> JsonObject:
    """Return the claims that bind the transactions into a key binding; none for no items.

    Raises `UnsupportedTransactionData`.
    """
    if not items:
        return {}
    name = choose_hash(items)
    claims: JsonObject = {HASHES_CLAIM: [item.digest(name) for item in items]}
    if any(item.hash_names for item in items):
        claims[HASH_NAME_CLAIM] = name
    return claims


def check_transactions(
    items: Sequence[TransactionData], bindings: Mapping[str, Sequence[JsonObject]]
) -> None:
    """Return if each transaction is authorized by exactly one credential that it names.

    `bindings` are the verified key binding claims of every presentation, by query id. A hash that
    belongs to no transaction of its credential is refused too. Raises `TransactionDataMismatch`.
    """
    used = [0] * len(items)
    for query_id, presentations in bindings.items():
        for claims in presentations:
            for position in _authorized(items, query_id, claims):
                used[position] += 1
    if any(count != 1 for count in used):
        raise TransactionDataMismatch("a transaction is not authorized by exactly one credential")


def _authorized(items: Sequence[TransactionData], query_id: str, claims: JsonObject) -> list[int]:
    hashes = claims.get(HASHES_CLAIM, [])
    if type(hashes) is not list or len(hashes) > MAX_TRANSACTIONS:
        raise TransactionDataMismatch(f"{HASHES_CLAIM} is a short list of hashes")
    name = claims.get(HASH_NAME_CLAIM, DEFAULT_HASH)
    named = HASH_NAME_CLAIM in claims
    found = []
    for value in hashes:
        position = next(
            (
                at
                for at, item in enumerate(items)
                if at not in found
                and query_id in item.credential_ids
                # Where the request names functions the answer says which it took (B.3.3.1).
                and (named or not item.hash_names)
                and name in (item.hash_names or (DEFAULT_HASH,))
                and _digest(item, name) == value
            ),
            None,
        )
        if position is None:
            raise TransactionDataMismatch("a hash of no transaction for this credential")
        found.append(position)
    return found


def _digest(item: TransactionData, name: object) -> str:
    try:
        return item.digest(str(name))
    except UnsupportedHash:
        raise TransactionDataMismatch("the hashes are by a function that is unknown") from None

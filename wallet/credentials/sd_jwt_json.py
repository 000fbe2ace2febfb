"""SD-JWT in JWS JSON serialization, flattened and general (RFC 9901 §8, RFC 7515 §7.2).

Both parse into the `SdJwt` of the compact form, so that nothing behind this module tells them
apart. `sd_hash` covers the compact spelling, as RFC 9901 §8.1 says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from wallet.credentials.disclosure import MAX_DISCLOSURES
from wallet.credentials.jose import CompactJws, parse_compact_jws
from wallet.credentials.sd_jwt import (
    MAX_SD_JWT_BYTES,
    SD_JWT_VC_TYPES,
    SdJwt,
    SdJwtMalformed,
    parse_sd_jwt,
)
from wallet.encoding.json import JsonObject, parse_json_object, to_json

MAX_SIGNATURES: Final = 4
_TOP: Final = frozenset(("payload", "protected", "signature", "header", "signatures"))
_ONE: Final = frozenset(("protected", "signature", "header"))
# The unprotected header carries what RFC 9901 puts there and the name of a key; nobody signed it.
_UNPROTECTED: Final = frozenset(("disclosures", "kb_jwt", "kid"))


def parse_presented_sd_jwt(text: str | bytes, *, typ: frozenset[str] = SD_JWT_VC_TYPES) -> SdJwt:
    """Return the SD-JWT in either serialization: what starts with `{` is JSON.

    Raises as `parse_sd_jwt` and `parse_sd_jwt_json` do.
    """
    starts_as_json = text.startswith("{") if isinstance(text, str) else text.startswith(b"{")
    return parse_sd_jwt_json(text, typ=typ) if starts_as_json else parse_sd_jwt(text, typ=typ)


def parse_sd_jwt_json(text: str | bytes, *, typ: frozenset[str] = SD_JWT_VC_TYPES) -> SdJwt:
    """Return the parts of an SD-JWT in flattened or general JSON serialization.

    Disclosures and key binding stand in the unprotected header of the first signature; further
    signatures become `cosignatures`, each of which must verify. Unknown members are refused.
    Raises `SdJwtMalformed`, `JsonMalformed` and the errors of the parts. Verifies nothing.
    """
    try:
        raw = text.encode("utf-8") if isinstance(text, str) else text
    except UnicodeEncodeError:
        raise SdJwtMalformed("an SD-JWT in JSON is UTF-8") from None
    value = parse_json_object(raw, max_bytes=MAX_SD_JWT_BYTES)
    payload = _string(value, "payload")
    first, *others = _signatures(value)
    header = _unprotected(first)
    compact = "~".join([_compact(first, payload), *_disclosures(header), _key_binding(header)])
    if compact.count("~") != len(_disclosures(header)) + 1:
        raise SdJwtMalformed("a disclosure or signature holds a ~")
    parsed = parse_sd_jwt(compact, typ=typ)
    return SdJwt(
        _with_key_name(parsed.jws, header),
        parsed.disclosures,
        parsed.key_binding,
        parsed.presented,
        tuple(_cosignature(other, payload, typ) for other in others),
    )


def _signatures(value: JsonObject) -> Sequence[Mapping[str, Any]]:
    if not value.keys() <= _TOP:
        raise SdJwtMalformed("the JWS has members that its serialization does not know")
    if "signatures" not in value:
        return [{name: value[name] for name in _ONE if name in value}]
    if _ONE & value.keys():
        raise SdJwtMalformed("a JWS is flattened or general, not both")
    listed = value["signatures"]
    if type(listed) is not list or not 0 < len(listed) <= MAX_SIGNATURES:
        raise SdJwtMalformed(f"a general JWS has 1 to {MAX_SIGNATURES} signatures")
    for item in listed:
        if type(item) is not dict or not item.keys() <= _ONE:
            raise SdJwtMalformed("a signature has protected, signature and header")
    return listed


def _string(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    if type(text) is not str:
        raise SdJwtMalformed(f"{name} is a string")
    return text


def _unprotected(item: Mapping[str, Any]) -> JsonObject:
    header = item.get("header", {})
    if type(header) is not dict or not header.keys() <= _UNPROTECTED:
        raise SdJwtMalformed("the unprotected header has disclosures, kb_jwt and kid at most")
    return header


def _disclosures(header: JsonObject) -> list[str]:
    listed = header.get("disclosures", [])
    if type(listed) is not list or len(listed) > MAX_DISCLOSURES:
        raise SdJwtMalformed(f"disclosures is a list of at most {MAX_DISCLOSURES}")
    if not all(type(item) is str and item for item in listed):
        raise SdJwtMalformed("a disclosure is a string")
    return listed


def _key_binding(header: JsonObject) -> str:
    if "kb_jwt" not in header:
        return ""
    binding = _string(header, "kb_jwt")
    if not binding:
        raise SdJwtMalformed("kb_jwt is a JWT")
    return binding


def _compact(item: Mapping[str, Any], payload: str) -> str:
    return f"{_string(item, 'protected')}.{payload}.{_string(item, 'signature')}"


def _with_key_name(jws: CompactJws, header: JsonObject) -> CompactJws:
    if "kid" not in header:
        return jws
    if "kid" in jws.header:
        raise SdJwtMalformed("a header parameter is protected or not, never both")
    merged = MappingProxyType({**jws.header, "kid": _string(header, "kid")})
    return jws._replace(header=merged)


def _cosignature(item: Mapping[str, Any], payload: str, typ: frozenset[str]) -> CompactJws:
    header = _unprotected(item)
    if header.keys() - {"kid"}:
        raise SdJwtMalformed("disclosures and kb_jwt stand with the first signature")
    return _with_key_name(parse_compact_jws(_compact(item, payload), typ=typ), header)


def to_flattened_json(compact: str) -> bytes:
    """Return a compact SD-JWT, with or without key binding, in flattened JSON serialization."""
    jws, *disclosures, binding = compact.split("~")
    protected, payload, signature = jws.split(".")
    header: JsonObject = {"disclosures": disclosures}
    if binding:
        header["kb_jwt"] = binding
    return to_json(
        {"payload": payload, "protected": protected, "signature": signature, "header": header}
    )

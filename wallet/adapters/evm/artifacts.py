"""The committed contract artifacts: ABI and bytecode, as `contracts/compile.mjs` wrote them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from wallet.encoding.json import JsonObject, parse_json_object

# In a wheel the artifacts lie beside this file; in a checkout, where they are compiled.
_PLACES = (
    Path(__file__).with_name("artifacts"),
    Path(__file__).resolve().parents[3] / "contracts" / "artifacts",
)


@cache
def artifact(name: str) -> JsonObject:
    """Return the artifact of a contract: the name of a file in `contracts/artifacts`."""
    for place in _PLACES:
        path = place / f"{name}.json"
        if path.is_file():
            return parse_json_object(path.read_bytes())
    raise FileNotFoundError(f"contract artifact {name}.json")


@cache
def error_selectors(name: str) -> dict[bytes, str]:
    """Return the custom errors of a contract: 4-byte selector to name."""
    from eth_utils.crypto import keccak

    return {
        keccak(text=_signature(entry))[:4]: entry["name"]
        for entry in artifact(name)["abi"]
        if entry["type"] == "error"
    }


@cache
def events(name: str) -> dict[bytes, JsonObject]:
    """Return the events of a contract: topic 0 to ABI entry."""
    from eth_utils.crypto import keccak

    return {
        keccak(text=_signature(entry)): entry
        for entry in artifact(name)["abi"]
        if entry["type"] == "event"
    }


def _signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(item['type'] for item in entry['inputs'])})"

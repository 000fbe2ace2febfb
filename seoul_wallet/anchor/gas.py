"""What the transactions cost in gas: the snapshots that forge measures and CI compares."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from wallet.encoding.json import parse_json_object
from wallet.errors import UnavailableError

# In a wheel the snapshots lie beside this file; in a checkout, where forge writes them.
_PLACES: Final = (
    Path(__file__).with_name("snapshots"),
    Path(__file__).resolve().parents[2] / "contracts" / "snapshots",
)
ANCHOR_BATCH: Final = ("CredentialAnchor", "anchor a batch, later")
PUBLISH_STATUS: Final = ("CredentialAnchor", "publish a status list, later version")
ACCREDIT: Final = ("TrustRegistry", "accredit an issuer, first")
CHECKPOINT: Final = ("BallotBoard", "checkpoint, later")


class GasSnapshotMissing(UnavailableError):
    """The measured gas figures are not installed with the program."""

    code = "gas_snapshot_missing"


@cache
def snapshot(contract: str) -> Mapping[str, int]:
    """Return the gas of a contract's measured operations. Raises `GasSnapshotMissing`."""
    for place in _PLACES:
        path = place / f"{contract}.json"
        if path.is_file():
            measured = parse_json_object(path.read_bytes())
            return {name: int(gas) for name, gas in measured.items()}
    raise GasSnapshotMissing(f"there is no gas snapshot of {contract}")


def gas_of(operation: tuple[str, str]) -> int:
    """Return the gas of one operation. Raises `GasSnapshotMissing`."""
    contract, name = operation
    return snapshot(contract)[name]

"""The published record of a finished election, as the contents of its files.

docs/voting.md, section 13. Nothing is computed anew: what is written is what the board, the
result and the chain have. Writing files is not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ballotbox.errors import RecordIncomplete
from ballotbox.ports import BoxRecords, PublicationRecords, Result
from wallet.voting.board import CEREMONY, ELECTION_KEY, log_octets
from wallet.voting.ceremony import replay_ceremony
from wallet.voting.election import Election
from wallet.voting.manifest import Manifest
from wallet.voting.record import (
    ANCHORS_FILE,
    CHECKPOINTS_FILE,
    LOG_FILE,
    MANIFEST_FILE,
    OUTCOME_FILE,
    RECORD_FILE,
    SHARES_FILE,
    TALLY_FILE,
    TIE_FILE,
    anchors_octets,
    record_octets,
)

README_FILE: Final = "README.md"
_AT_ONCE: Final = 100
_README: Final = """# {ko}

이 폴더는 엠보팅 선거 하나의 공개 기록입니다. 누구나 처음부터 끝까지 다시 셀 수 있습니다.

    mvote-verify . --rpc URL

`URL`은 체인 {chain_id}의 노드입니다. 내 표가 있는지 보려면 `--ballot 추적번호`를 붙이십시오.

# {en}

This folder is the published record of one election (SW-MVOTE-V1). Anybody can recount it, from
the manifest to the funded projects, with the command above; `URL` is a node of the chain
{chain_id}. `--ballot CODE` looks for your own ballot. Without `--rpc` the checks against the chain
are skipped, and a skipped check is not a passed one.
"""


class RecordExport:
    """The files of a record. Made once everything is final: see `complete_record`."""

    def __init__(
        self,
        election: Election,
        records: BoxRecords,
        result: Result,
        opened: bytes,
        sealed: bytes,
    ) -> None:
        self._election = election
        self._records = records
        self._result = result
        self._opened = opened
        self._sealed = sealed

    def hashed_files(self) -> Mapping[str, Iterable[bytes]]:
        """Return the files that record.json lists, each in pieces."""
        result = self._result
        return {
            MANIFEST_FILE: [self._election.manifest.octets],
            LOG_FILE: self._log(),
            CHECKPOINTS_FILE: self._checkpoints(),
            SHARES_FILE: [result.shares],
            TIE_FILE: [result.tie],
            TALLY_FILE: [result.tally],
            OUTCOME_FILE: [result.outcome],
        }

    def further_files(self, digests: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Return the other files, from the SHA-256 of each that is hashed."""
        manifest = self._election.manifest
        anchors = anchors_octets(self._opened, list(self._transactions()), self._sealed)
        titles = {"ko": manifest.title.ko, "en": manifest.title.en}
        readme = _README.format(**titles, chain_id=manifest.chain.chain_id)
        return {
            RECORD_FILE: record_octets(self._election, digests),
            ANCHORS_FILE: anchors,
            README_FILE: readme.encode(),
        }

    def _log(self) -> Iterator[bytes]:
        start = 0
        while entries := self._records.entries(start, _AT_ONCE):
            yield log_octets(entries)
            start += len(entries)

    def _checkpoints(self) -> Iterator[bytes]:
        first = 1
        while found := self._records.checkpoints(first, _AT_ONCE):
            yield b"".join(item.statement + b"\n" for item in found)
            first += len(found)

    def _transactions(self) -> Iterator[tuple[int, bytes]]:
        first = 1
        while found := self._records.checkpoints(first, _AT_ONCE):
            for item in found:
                if item.transaction is not None:
                    yield item.checkpoint.number, item.transaction
            first += len(found)


def complete_record(
    manifest: Manifest, records: BoxRecords, publication: PublicationRecords
) -> RecordExport:
    """Return the record of a finished election.

    Raises `RecordIncomplete` before its result is made, sealed, and everything on the chain is
    final.
    """
    state, result = publication.state(), publication.result()
    if result is None:
        raise RecordIncomplete("the election has no result yet")
    if state.opened is None or state.sealed is None or publication.not_anchored(1):
        raise RecordIncomplete("opening, checkpoints or seal are not final on the chain yet")
    election = finished_ceremony(manifest, records)
    return RecordExport(election, records, result, state.opened, state.sealed)


def finished_ceremony(manifest: Manifest, records: BoxRecords) -> Election:
    """Return the election that the key ceremony on the board made. Raises `RecordIncomplete`."""
    if not records.payloads(ELECTION_KEY):
        raise RecordIncomplete("the key ceremony is not over")
    return replay_ceremony(manifest, records.payloads(*CEREMONY)).election

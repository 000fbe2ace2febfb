"""The twenty checks of section 14 over a record's folder, in their order."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from mvote_verify import board, curve, forms
from mvote_verify.ballots import (
    Ballot,
    check_apart,
    counted_ballots,
    find_ballot,
    named,
    scan_ballots,
)
from mvote_verify.ceremony import ElectionKeys, check_election_key, replay_ceremony
from mvote_verify.chain import Chain
from mvote_verify.chunks import NO_GROUP, ChunkResult, Election, Item, decode_sums
from mvote_verify.curve import Point
from mvote_verify.encodings import digest, parse_json
from mvote_verify.failures import Malformed, Refused, Skipped
from mvote_verify.limits import MAX_JSON_BYTES
from mvote_verify.log import Log, LogFile, first_payload, read_log
from mvote_verify.manifest import Manifest, parse_manifest
from mvote_verify.outcome import check_outcome
from mvote_verify.plan import CHECKS, NEEDS, ORDER, NotReached, Options, Result, Status
from mvote_verify.pool import verify_items
from mvote_verify.tally import (
    Aggregate,
    Group,
    Shares,
    TalliedGroup,
    aggregate_of,
    check_shares,
    check_tally,
    merge_groups,
)
from mvote_verify.tie import Tie, read_tie
from mvote_verify.tree import root_of

HASHED_FILES = (
    "manifest.json",
    "log.bin",
    "checkpoints.ndjson",
    "shares.json",
    "tie.json",
    "tally.json",
    "outcome.json",
)


@dataclass(slots=True)
class Verification:
    """One run over a record. `outcome` is set once V17 passed."""

    folder: Path
    options: Options
    results: dict[int, Result] = field(default_factory=dict)
    outcome: dict[str, Any] | None = None
    _file: LogFile | None = None
    _manifest_bytes: bytes = b""
    _manifest: Manifest | None = None
    _log: Log | None = None
    _keys: ElectionKeys | None = None
    _checkpoints: list[board.Checkpoint] = field(default_factory=list)
    _ballots: list[Ballot] = field(default_factory=list)
    _groups: list[Group] | None = None
    _chunks: list[ChunkResult] | None = None
    _batches: dict[str, board.BatchSum] = field(default_factory=dict)
    _aggregate: Aggregate | None = None
    _shares: Shares | None = None
    _tallied: list[TalliedGroup] = field(default_factory=list)
    _tie: Tie | None = None

    @property
    def election(self) -> str | None:
        """`h_E` in hex, once it is known."""
        return self._keys.election.hex() if self._keys else None

    def project_titles(self, lang: str) -> dict[str, str]:
        """Titles of the projects by id, once the manifest was read."""
        projects = self._manifest.projects if self._manifest else []
        return {project["id"]: project["title"][lang] for project in projects}

    @property
    def success(self) -> bool:
        """Whether every check ran and passed; V20 runs only if a code was given."""
        asked = CHECKS if self.options.code is not None else CHECKS - 1
        passed = (self.results[n].status is Status.PASSED for n in range(1, asked + 1))
        return all(passed)

    @property
    def failed(self) -> bool:
        return any(result.status is Status.FAILED for result in self.results.values())

    def run(self, report: Callable[[Result], None] = lambda result: None) -> None:
        """All checks; the results are given to `report` by number, each as soon as it can be."""
        told = 1
        try:
            for number in ORDER:
                self.results[number] = self._check(number)
                while told in self.results:
                    report(self.results[told])
                    told += 1
        finally:
            if self._file is not None:
                self._file.close()

    def _check(self, number: int) -> Result:
        missing = [n for n in NEEDS.get(number, ()) if self.results[n].status is not Status.PASSED]
        if missing:
            reason = ", ".join(f"V{n}" for n in missing)
            return Result(number, Status.NOT_REACHED, detail=reason)
        check: Callable[[], Sequence[str] | None] = getattr(self, f"_v{number}")
        try:
            return Result(number, Status.PASSED, notes=tuple(check() or ()))
        except Refused as error:
            return Result(number, Status.FAILED, error.code, error.detail)
        except Skipped as error:
            return Result(number, Status.SKIPPED, detail=str(error))
        except NotReached as error:
            return Result(number, Status.NOT_REACHED, detail=str(error))

    def _read(self, name: str, code: str, max_bytes: int = MAX_JSON_BYTES) -> bytes:
        """A file of the record; one that is not there has the code of what it would say."""
        path = self.folder / name
        try:
            if path.stat().st_size > max_bytes:
                raise Refused(code, f"{name} is too large")
            return path.read_bytes()
        except OSError:
            raise Refused(code, f"{name} cannot be read") from None

    def _need(self) -> tuple[Manifest, Log, ElectionKeys]:
        if self._manifest is None or self._log is None or self._keys is None:
            raise NotReached("V4")
        return self._manifest, self._log, self._keys

    def _chain(self) -> Chain:
        if self.options.node is None:
            raise Skipped("no node was named (--rpc)")
        if self._manifest is None:
            raise NotReached("V1")
        return Chain.of(self.options.node, self._manifest)

    def _v1(self) -> None:
        self._manifest_bytes = self._read("manifest.json", "manifest_malformed")
        manifest = parse_manifest(self._manifest_bytes)
        try:
            self._file = LogFile(self.folder / "log.bin")
            first = first_payload(self._file)
        except (OSError, Refused):
            raise Refused("manifest_differs", "log.bin does not begin with a manifest") from None
        if first != self._manifest_bytes:
            raise Refused("manifest_differs", "entry 0 of the log is another manifest")
        self._manifest = manifest

    def _v2(self) -> Sequence[str]:
        if self._file is None:
            raise NotReached("V1")
        self._log = read_log(self._file)
        return [f"{len(self._log.entries)} entries"]

    def _v3(self) -> Sequence[str]:
        manifest, log, keys = self._need()
        path = self.folder / "checkpoints.ndjson"
        try:
            self._checkpoints = board.read_checkpoints(path, manifest, keys.election)
        except OSError:
            raise Refused("log_not_covered", "checkpoints.ndjson cannot be read") from None
        board.check_roots(self._checkpoints, log)
        return [f"{len(self._checkpoints)} checkpoints"]

    def _v4(self) -> Sequence[str]:
        if self._manifest is None or self._log is None:
            raise NotReached("V2")
        self._keys = replay_ceremony(self._manifest, self._log)
        return [f"trustee {i} is out: {why}" for i, why in sorted(self._keys.reasons.items())]

    def _v5(self) -> None:
        check_election_key(*self._need())

    def _v6(self) -> None:
        _, _, keys = self._need()
        chain = self._chain()
        anchors = self._read("anchors.json", "chain_board_differs")
        chain.check_board(anchors, keys.election, self._checkpoints)

    def _v7(self) -> Sequence[str]:
        manifest, log, keys = self._need()
        if self._file is None:
            raise NotReached("V1")
        self._ballots = scan_ballots(self._file, log.of("ballot"), manifest, keys.election)
        return [f"{len(self._ballots)} ballots"]

    def _v8(self) -> Sequence[str]:
        manifest, _, _ = self._need()
        check_apart(self._ballots, manifest)
        counted = counted_ballots(self._ballots)
        by_value = Counter(ballot.stratum for ballot in counted)
        self._groups = merge_groups(manifest, by_value)
        return [f"{len(counted)} count"]

    def _v9(self) -> None:
        bad = [index for chunk in self._verified() for index in chunk.bad_proofs]
        if bad:
            raise Refused("ballot_proof_invalid", named("the proof does not hold", sorted(bad)))

    def _v10(self) -> None:
        bad = [index for chunk in self._verified() for index in chunk.bad_eligibility]
        if bad:
            detail = named("the proof does not hold", sorted(bad))
            raise Refused("eligibility_proof_invalid", detail)

    def _verified(self) -> list[ChunkResult]:
        """Results of V9 and V10, which are made together."""
        if self._chunks is None:
            _, _, keys = self._need()
            group_of = {
                value: number
                for number, group in enumerate(self._groups or ())
                for value in group.members
            }
            counts = {id(ballot) for ballot in counted_ballots(self._ballots)}
            items = [
                Item(
                    ballot.entry.index,
                    ballot.entry.offset,
                    ballot.entry.length,
                    ballot.entry.hash,
                    group_of.get(ballot.stratum, NO_GROUP) if id(ballot) in counts else NO_GROUP,
                )
                for ballot in self._ballots
            ]
            key = curve.encode(keys.key)
            election = Election(self._manifest_bytes, keys.election, key)
            path, options = self.folder / "log.bin", self.options
            self._chunks = verify_items(
                election, path, items, options.work, options.progress, options.resume
            )
        return self._chunks

    def _v11(self) -> None:
        manifest, log, _ = self._need()
        board.check_window(self._checkpoints, log, manifest)

    def _v12(self) -> None:
        manifest, log, keys = self._need()
        board.check_close(log, self._ballots, manifest, keys.election)

    def _v13(self) -> Sequence[str]:
        manifest, log, keys = self._need()
        self._batches = board.check_batches(log, manifest, keys.election)
        return [f"{sum(batch.ballots for batch in self._batches.values())} ballots in batches"]

    def _v14(self) -> Sequence[str]:
        manifest, log, keys = self._need()
        if self._groups is None:
            raise NotReached("too_few_ballots")
        of_ballots = [group for group in self._groups if not group.in_batches]
        sums = self._sums(of_ballots, 2 * len(manifest.layout.votes))
        root = root_of(entry.hash for entry in log.entries)
        size = len(log.entries)
        self._aggregate = aggregate_of(manifest, keys.election, sums, size, root)
        data = self._read("shares.json", "too_few_shares")
        self._shares = check_shares(data, manifest, keys, self._aggregate)
        return [f"trustee {i} is ignored: {code}" for i, code in self._shares.ignored.items()]

    def _sums(self, groups: Sequence[Group], places: int) -> list[list[Point | None]]:
        """Ciphertexts of the counted ballots, summed, for each group: `places` of each."""
        sums = []
        for number in range(len(groups)):
            try:
                parts = [
                    decode_sums(chunk.sums[number])
                    for chunk in self._verified()
                    if number in chunk.sums
                ]
                summed = [curve.total_of(column) for column in zip(*parts, strict=True)]
                if len(summed) != places:
                    raise Malformed("not a sum for each ciphertext")
                sums.append(summed)
            except (Malformed, ValueError):
                raise Skipped("the file to resume from is damaged") from None
        return sums

    def _v15(self) -> None:
        manifest, _, keys = self._need()
        if self._groups is None:
            raise Refused("too_few_ballots", "under 20 ballots count: nothing may be decrypted")
        if self._aggregate is None or self._shares is None:
            raise NotReached("V14")
        for group in self._groups:
            for batch in (self._batches[value] for value in sorted(group.members)):
                group.batch_ballots += batch.ballots
                pairs = zip(group.batch_totals, batch.totals, strict=True)
                group.batch_totals = [a + b for a, b in pairs]
        data = self._read("tally.json", "tally_differs")
        self._tallied = check_tally(
            data, manifest, keys, self._groups, self._aggregate, self._shares
        )

    def _v16(self) -> Sequence[str]:
        manifest, _, keys = self._need()
        tie = read_tie(self._read("tie.json", "tie_nonce_differs"), manifest, keys)
        self._tie = tie
        chain = self._chain()
        try:
            chain.check_tie_block(tie)
        except Refused:
            self._tie = None
            raise
        return [f"trustee {i} withheld the nonce" for i in tie.withheld]

    def _v17(self) -> None:
        manifest, _, keys = self._need()
        if self._tie is None:
            raise NotReached("V16")
        data = self._read("outcome.json", "outcome_differs")
        self.outcome = check_outcome(data, manifest, keys.election, self._tallied, self._tie)

    def _v18(self) -> None:
        chain = self._chain()
        files = ("shares.json", "tie.json", "tally.json", "outcome.json")
        hashes = [sha256(self._read(name, "seal_differs")).digest() for name in files]
        anchors = self._read("anchors.json", "seal_differs")
        chain.check_seal(anchors, self._checkpoints[-1], digest("record", *hashes))

    def _v19(self) -> None:
        form = {name: forms.hexadecimal(32) for name in HASHED_FILES}
        try:
            record = forms.members(
                parse_json(self._read("record.json", "record_differs")),
                {
                    "kind": forms.one_of("record"),
                    "election": forms.hexadecimal(32),
                    "files": forms.record(**form),
                },
            )
        except Malformed as error:
            raise Refused("record_differs", f"record.json: {error}") from None
        for name in HASHED_FILES:
            if record["files"][name] != self._hash_of(name):
                raise Refused("record_differs", name)
        if self._keys is None:
            raise NotReached("V4")
        if record["election"] != self._keys.election:
            raise Refused("record_differs", "of another election")

    def _hash_of(self, name: str) -> bytes:
        hashed = sha256()
        try:
            with (self.folder / name).open("rb") as file:
                while piece := file.read(1 << 20):
                    hashed.update(piece)
        except OSError:
            raise Refused("record_differs", f"{name} cannot be read") from None
        return hashed.digest()

    def _v20(self) -> Sequence[str]:
        if self.options.code is None:
            raise Skipped("no tracking code was given (--ballot)")
        ballot, last = find_ballot(self._ballots, self.options.code)
        if ballot is last:
            return [f"entry {ballot.entry.index} counts"]
        return [f"entry {ballot.entry.index} is replaced by entry {last.entry.index}"]

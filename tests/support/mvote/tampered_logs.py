"""Tampered manifests, logs, checkpoints and ceremonies."""

import json
from collections.abc import Callable
from typing import Any

from tests.support.mvote.elections import OPENS, Election
from tests.support.mvote.primitives import canonical, mul, sign
from tests.support.mvote.records import Files, encoded, listed, log_of, publish, with_log
from tests.support.mvote.tampering import (
    Tamper,
    edited,
    index_of,
    replaced,
    tampered,
)


@tampered("a blank in the manifest", {1: "manifest_malformed"})
def _(election: Election, files: Files) -> Files:
    return listed(election, {**files, "manifest.json": files["manifest.json"] + b" "})


@tampered("a second manifest with another budget", {1: "manifest_differs"})
def _(election: Election, files: Files) -> Files:
    changed = edited(files, "manifest.json", lambda m: m.update(budget=999))
    return listed(election, changed)


@tampered("weights that do not sum to one", {1: "manifest_invalid"})
def _(election: Election, files: Files) -> Files:
    changed = edited(files, "manifest.json", lambda m: m["strata"][0].update(weight="1/3"))
    return listed(election, changed)


@tampered("a log that is cut short", {2: "log_malformed", 19: "record_differs"})
def _(election: Election, files: Files) -> Files:
    return {**files, "log.bin": files["log.bin"][:-1]}


@tampered("a statement that is not canonical", {2: "log_malformed"})
def _(election: Election, files: Files) -> Files:
    entries = election.entries()
    at = index_of(entries, "end")
    return with_log(election, files, replaced(entries, at, entries[at][1] + b"\n"))


@tampered("two entries in each other's place", {2: "log_order"})
def _(election: Election, files: Files) -> Files:
    leaves = encoded(election.entries())
    leaves[-2], leaves[-3] = leaves[-3], leaves[-2]
    return listed(election, {**files, "log.bin": log_of(leaves)})


@tampered("a ballot after the close", {2: "log_order"})
def _(election: Election, files: Files) -> Files:
    entries = election.entries()
    close = index_of(entries, "close")
    entries[close - 1], entries[close] = entries[close], entries[close - 1]
    return with_log(election, files, entries)


@tampered("a log without its end", {2: "log_order"})
def _(election: Election, files: Files) -> Files:
    return with_log(election, files, election.entries()[:-1])


@tampered("a reordered log under the old checkpoints", {3: "root_differs"})
def _(election: Election, files: Files) -> Files:
    ballots = [election.ballots[1], election.ballots[0], *election.ballots[2:]]
    entries = election.entries(ballots)
    recounted = publish(election, entries=entries, ballots=ballots)
    checkpoints = files["checkpoints.ndjson"]
    return listed(election, {**recounted, "checkpoints.ndjson": checkpoints})


@tampered("checkpoints signed by another key", {3: "checkpoint_signature"})
def _(election: Election, files: Files) -> Files:
    return with_log(election, files, election.entries(), board=election.officer)


def _with_checkpoints(edit: Callable[[list[dict[str, Any]]], None]) -> Tamper:
    return lambda election, files: with_log(election, files, election.entries(), edit=edit)


tampered("a checkpoint of another election", {3: "checkpoint_signature"})(
    _with_checkpoints(lambda bodies: bodies[1].update(election="11" * 32))
)
tampered("a number of a checkpoint left out", {3: "checkpoint_order"})(
    _with_checkpoints(lambda bodies: bodies[2].update(number=4))
)
tampered("a checkpoint that goes back in time", {3: "checkpoint_order"})(
    _with_checkpoints(lambda bodies: bodies[1].update(time=OPENS - 1))
)
tampered("a checkpoint before the opening", {3: "checkpoint_order"})(
    _with_checkpoints(lambda bodies: bodies[0].update(time=OPENS - 1))
)
tampered("a checkpoint of a longer log", {3: "root_differs"})(
    _with_checkpoints(lambda bodies: bodies[3].update(size=bodies[3]["size"] + 1))
)
tampered("a last checkpoint left out", {3: "log_not_covered"})(
    _with_checkpoints(lambda bodies: bodies.__delitem__(3))
)


@tampered("a message of the ceremony by another", {4: "ceremony_signature"})
def _(election: Election, files: Files) -> Files:
    entries = election.entries()
    body = json.loads(entries[2][1])["body"]
    forged = canonical(sign(body, election.trustees[0].signing))
    return with_log(election, files, replaced(entries, 2, forged))


@tampered("two messages of one round in the wrong order", {4: "ceremony_order"})
def _(election: Election, files: Files) -> Files:
    entries = election.entries()
    entries[1], entries[2] = entries[2], entries[1]
    return with_log(election, files, entries)


@tampered("too many trustees out", {4: "ceremony_failed"})
def _(election: Election, files: Files) -> Files:
    entries = election.entries()
    reveals = [i for i, (kind, _) in enumerate(entries) if kind == "dkg_reveal"]
    return with_log(election, files, [e for i, e in enumerate(entries) if i not in reveals[:3]])


def _with_key(secret: Callable[[Election], int], **changes: Any) -> Tamper:
    def tamper(election: Election, files: Files) -> Files:
        entries = election.entries()
        at = index_of(entries, "election_key")
        body = {**json.loads(entries[at][1])["body"], **changes}
        entries = replaced(entries, at, canonical(sign(body, secret(election))))
        return publish(election, entries=entries)

    return tamper


tampered("an election key with a trapdoor", {5: "election_key_differs"})(
    _with_key(lambda election: election.board, key=mul(7).hex())
)
tampered("another set of qualified trustees", {5: "election_key_differs"})(
    _with_key(lambda election: election.board, qualified=[1, 2, 4])
)
tampered("an election key that the board did not sign", {5: "statement_signature"})(
    _with_key(lambda election: election.officer)
)

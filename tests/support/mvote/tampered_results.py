"""Tampered times, closes, batches, shares, tallies and outcomes."""

import json
from collections.abc import Callable
from typing import Any

from tests.support.mvote.elections import CLOSES, GRACE_S, OPENS, Election
from tests.support.mvote.primitives import canonical, sign
from tests.support.mvote.records import Files, listed, plan_of, publish
from tests.support.mvote.tampering import (
    Tamper,
    edited,
    index_of,
    replaced,
    tampered,
)


def _at_times(*times: int) -> Tamper:
    def tamper(election: Election, files: Files) -> Files:
        sizes = [size for size, _ in plan_of(election.entries())]
        return publish(election, plan=list(zip(sizes, times, strict=True)))

    return tamper


tampered("ballots that come after the grace", {11: "ballot_outside_window"})(
    _at_times(OPENS, OPENS + 1, CLOSES + GRACE_S + 1, CLOSES + GRACE_S + 2)
)
tampered("a board that is still open after the grace", {11: "ballot_outside_window"})(
    _at_times(OPENS, OPENS + 1, CLOSES + GRACE_S, CLOSES + GRACE_S)
)


def _with_body(kind: str, edit: Callable[[dict[str, Any]], None]) -> Tamper:
    return lambda election, files: publish(election, entries=election.entries(edits={kind: edit}))


tampered("a close that counts one ballot less", {12: "close_differs"})(
    _with_body("close", lambda body: body.update(counted=body["counted"] - 1))
)
tampered("a close over another set", {12: "close_differs"})(
    _with_body("close", lambda body: body.update(counted_root="11" * 32))
)
tampered("an end that hides a batch", {12: "end_differs"})(
    _with_body("end", lambda body: body.update(batches=1))
)
tampered("rejections that nobody can read", {2: "log_malformed"})(
    _with_body("rejections", lambda body: body["rejections"].reverse())
)
tampered("a batch of a stratum that there is not", {13: "batch_invalid"})(
    _with_body("batch", lambda body: body.update(stratum="nobody"))
)
tampered("a batch with more votes than ballots", {13: "batch_invalid"})(
    _with_body("batch", lambda body: body.update(totals=[51] * 6))
)
tampered("a batch left out", {13: "batch_invalid"})(
    _with_body("batch", lambda body: body.update(number=body["number"] + 1))
)


@tampered("a dropped ballot under the old close", {12: "close_differs"})
def _(election: Election, files: Files) -> Files:
    entries = election.entries()
    del entries[index_of(entries, "ballot", 1)]
    ballots = [election.ballots[0], *election.ballots[2:]]
    return publish(election, entries=entries, ballots=ballots)


@tampered("a batch that its officer did not sign", {13: "batch_signature"})
def _(election: Election, files: Files) -> Files:
    entries = election.entries()
    at = index_of(entries, "batch")
    body = json.loads(entries[at][1])["body"]
    entries = replaced(entries, at, canonical(sign(body, election.board)))
    return publish(election, entries=entries)


@tampered("a close that the board did not sign", {12: "statement_signature"})
def _(election: Election, files: Files) -> Files:
    entries = election.entries()
    at = index_of(entries, "close")
    body = json.loads(entries[at][1])["body"]
    entries = replaced(entries, at, canonical(sign(body, election.officer)))
    return publish(election, entries=entries)


def _with_file(name: str, edit: Callable[[Any], None]) -> Tamper:
    return lambda election, files: listed(election, edited(files, name, edit))


def _vote_to_the_next(tally: Any) -> None:
    totals = tally["groups"][0]["totals"]
    totals[0], totals[1] = totals[0] - 1, totals[1] + 1


def _fund_the_first(outcome: Any) -> None:
    next(p for p in outcome["projects"] if p["status"] != "funded")["status"] = "funded"


tampered("a second share that is invalid", {14: "too_few_shares"})(
    _with_file("shares.json", lambda shares: shares[0]["body"].update(aggregate="11" * 32))
)
tampered("shares that are left out", {14: "too_few_shares"})(
    _with_file("shares.json", lambda shares: shares.__delitem__(slice(0, 2)))
)
tampered("shares out of order", {14: "share_malformed"})(
    _with_file("shares.json", lambda shares: shares.reverse())
)
tampered("an invalid share that nobody names", {15: "tally_differs"})(
    _with_file("tally.json", lambda tally: tally.update(ignored=[]))
)
tampered("a vote moved to another project", {15: "total_differs"})(
    _with_file("tally.json", _vote_to_the_next)
)
tampered("votes in a stratum without ballots", {15: "total_differs"})(
    _with_file("tally.json", lambda tally: tally["groups"][2].update(totals=[1] * 6))
)
tampered("a paper vote too many", {15: "tally_differs"})(
    _with_file("tally.json", lambda tally: tally["groups"][0].update(batch_totals=[3] * 6))
)
tampered("another weight", {15: "tally_differs"})(
    _with_file("tally.json", lambda tally: tally["groups"][0].update(weight="3/5"))
)
tampered("a forged nonce", {16: "tie_nonce_differs"})(
    _with_file("tie.json", lambda tie: tie["nonces"][0]["body"].update(nonce="11" * 32))
)
tampered("a block before its time", {16: "tie_block_differs"})(
    _with_file("tie.json", lambda tie: tie["block"].update(time=CLOSES))
)
tampered("another block for the tie", {17: "outcome_differs"})(
    _with_file("tie.json", lambda tie: tie["block"].update(hash="11" * 32))
)
tampered("a project funded that is not", {17: "outcome_differs"})(
    _with_file("outcome.json", _fund_the_first)
)
tampered("the order of two projects", {17: "outcome_differs"})(
    _with_file("outcome.json", lambda outcome: outcome["projects"].reverse())
)
tampered("nobody withheld a nonce", {17: "outcome_differs"})(
    _with_file("outcome.json", lambda outcome: outcome.update(withheld=[]))
)
tampered("a file that record.json does not know", {19: "record_differs"})(
    lambda election, files: {**files, "record.json": files["record.json"].replace(b"a", b"b")}
)

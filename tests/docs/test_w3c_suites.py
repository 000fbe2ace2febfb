"""The official suites: what is known to fail is said, told from the rest, and written down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from issuer.vc_api import PAIRS
from tools import w3c_suites
from tools.w3c_suites import ISSUERS, Exemption, Suite, configure, install, judge, listed_suites

CONFORMANCE: Final = w3c_suites.ROOT / "docs" / "conformance.md"
SUITE: Final = Suite("a-suite", "A", (Exemption("is stale", 2, "its data are old"),))
READY: Final[dict[str, Any]] = {
    "issuer": "https://localhost:1",
    "verifier": "https://localhost:2",
    "holder": "https://localhost:3",
    "dids": {key: f"did:key:{key}" for key in ("ed25519", "p256", "p384", "bls")},
}


def report(*failed: str, passed: int = 3) -> dict[str, Any]:
    return {
        "passes": [{"fullTitle": "good"}] * passed,
        "failures": [{"fullTitle": title} for title in failed],
        "pending": [{"fullTitle": "for others"}],
    }


def test_every_suite_and_every_reason_is_in_the_document() -> None:
    text = CONFORMANCE.read_text("utf-8")
    suites = listed_suites()
    assert len({suite.name for suite in suites}) == len(suites) >= 6
    for suite in suites:
        assert f"| `{suite.name}` |" in text
        for exempt in suite.exempt:
            assert f"| {exempt.count} | {exempt.reason} |" in text


def test_known_failures_are_told_from_the_others() -> None:
    outcome = judge(SUITE, report("A is stale 1", "A is stale 2"))
    assert (outcome.good, outcome.passed, outcome.not_applicable) == (True, 3, 1)
    assert outcome.known == {"its data are old": 2}
    outcome = judge(SUITE, report("A is stale 1", "A is stale 2", "B"))
    assert (outcome.good, outcome.failed) == (False, ("B",))


@pytest.mark.parametrize("failed", [(), ("A is stale 1",), ("A is stale",) * 3])
def test_a_known_failure_that_changed_is_pointed_out(failed: tuple[str, ...]) -> None:
    outcome = judge(SUITE, report(*failed))
    assert not outcome.good
    assert outcome.stale == (f"is stale: {len(failed)} of 2 fail",)


def test_a_run_without_a_passed_test_is_not_good() -> None:
    assert not judge(SUITE, report("A is stale 1", "A is stale 2", passed=0)).good


def test_every_issuer_of_the_configuration_is_one_of_vc_api(tmp_path: Path) -> None:
    assert {(suite, key) for suite, key, _, _ in ISSUERS} <= PAIRS
    runner = tmp_path / "config" / "runner.json"
    runner.parent.mkdir()
    runner.write_text('{"a": {"vcHolder": {"holderName": "Someone Else", "tags": ["vcHolder"]}}}')
    configure(tmp_path, w3c_suites.local_config(READY))
    assert json.loads(runner.read_text())["a"]["vcHolder"]["holderName"] == w3c_suites.NAME
    text = (tmp_path / "localConfig.cjs").read_text("utf-8")
    config = json.loads(text.removeprefix("module.exports = ").removesuffix(";\n"))
    (ours,) = config["implementations"]
    assert config["settings"]["testAllImplementations"] is False
    assert len(ours["issuers"]) == len(ISSUERS)
    for issuer in ours["issuers"]:
        assert issuer["id"] == f"did:key:{issuer['endpoint'].split('/')[5]}"
    everywhere = {tag for issuer in ours["issuers"] for tag in issuer["tags"]}
    for name in ("verifiers", "vpVerifiers", "vcHolders"):
        (endpoint,) = ours[name]
        assert everywhere <= set(endpoint["tags"])


def test_packages_of_repositories_are_taken_from_the_checkouts_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, manifest = tmp_path / "a-suite", tmp_path / "a-suite" / "package.json"
    (tmp_path / "beside").mkdir()
    suite.mkdir()
    wanted = {"a": "github:w3c/beside#v1", "b": "github:w3c/elsewhere", "c": "^1.0.0"}
    manifest.write_text(json.dumps({"dependencies": wanted}))
    monkeypatch.setattr(w3c_suites, "NPM", ("true",))
    (tmp_path / "vectors").mkdir()
    install(suite, "vectors")
    assert (suite / "tests" / "input" / "vectors").resolve() == tmp_path / "vectors"
    found = json.loads(manifest.read_text())["dependencies"]
    assert found == {**wanted, "a": "file:../beside"}
    # One that is installed is left as it is.
    manifest.write_text("{}")
    (suite / "node_modules" / "mocha").mkdir(parents=True)
    install(suite, "vectors")
    assert manifest.read_text() == "{}"

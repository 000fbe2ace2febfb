"""The committed artifacts are what the sources compile to, and the lock names no host."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.contracts.chain import CONTRACTS_DIR, NAMES, artifact
from tests.contracts.node import node

COMPILE_TIMEOUT_S = 110


def check(*options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [node(), "compile.mjs", "--check", *options],
        cwd=CONTRACTS_DIR,
        capture_output=True,
        text=True,
        timeout=COMPILE_TIMEOUT_S,
        check=False,
    )


@pytest.mark.node
def test_the_committed_artifacts_are_a_fresh_compile_of_the_sources() -> None:
    result = check()
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.node
def test_a_changed_source_and_an_edited_artifact_are_named(tmp_path: Path) -> None:
    sources, artifacts = tmp_path / "src", tmp_path / "artifacts"
    shutil.copytree(CONTRACTS_DIR / "src", sources)
    shutil.copytree(CONTRACTS_DIR / "artifacts", artifacts)
    changed = sources / "CredentialAnchor.sol"
    before = changed.read_text()
    changed.write_text(before.replace("if (size == 0) revert EmptyBatch();", ""))
    assert changed.read_text() != before
    edited = artifacts / "TrustRegistry.json"
    built = json.loads(edited.read_text())
    built["abi"].pop()
    edited.write_text(json.dumps(built))
    (artifacts / "Directory.json").unlink()
    result = check("--src", str(sources), "--artifacts", str(artifacts))
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "CredentialAnchor.json: bytecode differs",
        "CredentialAnchor.json: deployedBytecode differs",
        "CredentialAnchor.json: source_sha256 differs",
        "Directory.json: not there",
        "TrustRegistry.json: abi differs",
        "run: node compile.mjs",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_an_artifact_says_how_it_was_made(name: str) -> None:
    built = artifact(name)
    assert built["contractName"] == name
    assert built["compiler"] == {
        "evmVersion": "cancun",
        "optimizer": {"enabled": True, "runs": 200},
        "solc": "0.8.37+commit.f401782d.Emscripten.clang",
    }
    assert re.fullmatch(r"[0-9a-f]{64}", built["source_sha256"])
    assert f"src/{name}.sol" in built["sources"]


@pytest.mark.parametrize("name", NAMES)
def test_an_artifact_names_the_slot_of_the_log_head(name: str) -> None:
    heads = [e for e in artifact(name)["storageLayout"]["storage"] if e["label"] == "_logHead"]
    assert [(e["slot"], e["offset"], e["type"]) for e in heads] == [("0", 0, "t_bytes32")]


@pytest.mark.parametrize("name", NAMES)
def test_a_contract_fits_the_size_limit_of_eip_170(name: str) -> None:
    assert len(artifact(name)["deployedBytecode"]) // 2 - 1 <= 24_576


@pytest.mark.parametrize("name", NAMES)
def test_every_event_declares_its_indexed_arguments_first(name: str) -> None:
    # what lets a follower hash topics and data as they come
    events = [e for e in artifact(name)["abi"] if e["type"] == "event"]
    assert events
    for event in events:
        flags = [part["indexed"] for part in event["inputs"]]
        assert flags == sorted(flags, reverse=True), event["name"]


def test_one_event_alone_has_an_argument_of_variable_size() -> None:
    fixed = re.compile(r"address|bytes32|uint\d+")
    variable = {
        event["name"]
        for name in NAMES
        for event in artifact(name)["abi"]
        if event["type"] == "event"
        and not all(fixed.fullmatch(part["type"]) for part in event["inputs"])
    }
    assert variable == {"DIDAttributeChanged"}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_person_has_a_place_in_an_event(name: str) -> None:
    # free text and free bytes are where personal data would go; the one such field holds the
    # public keys and services of legal entities
    assert not {
        (event["name"], part["name"])
        for event in artifact(name)["abi"]
        if event["type"] == "event"
        for part in event["inputs"]
        if part["type"] in ("string", "bytes")
    } - {("DIDAttributeChanged", "value")}


def test_the_lock_file_names_no_host_and_every_platform_of_the_native_tools() -> None:
    text = (CONTRACTS_DIR / "package-lock.json").read_text()
    assert "://" not in text
    assert '"resolved"' not in text
    packages = json.loads(text)["packages"]
    # npm ci refuses a lock that leaves an optional dependency out, on every platform
    for tool in ("anvil", "forge"):
        for package in packages[f"node_modules/@foundry-rs/{tool}"]["optionalDependencies"]:
            assert f"node_modules/{package}" in packages


def test_forge_compiles_with_the_settings_of_the_artifacts() -> None:
    settings = tomllib.loads((CONTRACTS_DIR / "foundry.toml").read_text())["profile"]["default"]
    compiler = artifact("TrustRegistry")["compiler"]
    assert settings["evm_version"] == compiler["evmVersion"]
    assert settings["optimizer"] is compiler["optimizer"]["enabled"]
    assert settings["optimizer_runs"] == compiler["optimizer"]["runs"]
    assert "via_ir" not in settings

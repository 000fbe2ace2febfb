"""The 86 tests of w3c/rdf-canon (RDFC-1.0), none exempted."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pyoxigraph
import pytest

from tests.support.vectors import vector_folder
from wallet.credentials.jsonld import rdfc
from wallet.credentials.jsonld.errors import GraphTooComplex

pytestmark = pytest.mark.vectors
NQUADS = pyoxigraph.RdfFormat.N_QUADS
HASHES = {
    "SHA256": lambda data: hashlib.sha256(data).digest(),
    "SHA384": lambda data: hashlib.sha384(data).digest(),
}


def entries() -> tuple[Path, list[dict[str, Any]]]:
    folder = vector_folder("rdf-canon")
    return folder, json.loads((folder / "manifest.jsonld").read_bytes())["entries"]


def run(folder: Path, entry: dict[str, Any]) -> rdfc.CanonicalDataset:
    quads = pyoxigraph.parse(input=(folder / entry["action"]).read_bytes(), format=NQUADS)
    nquads = pyoxigraph.serialize(quads, format=NQUADS)
    assert nquads is not None
    return rdfc.canonicalize(nquads.decode(), HASHES[entry.get("hashAlgorithm", "SHA256")])


def test_all_evaluation_tests_give_the_published_bytes() -> None:
    folder, listed = entries()
    cases = [entry for entry in listed if entry["type"] == "rdfc:RDFC10EvalTest"]
    assert len(cases) == 64
    for entry in cases:
        assert run(folder, entry).to_bytes() == (folder / entry["result"]).read_bytes(), entry


def test_all_map_tests_give_the_published_labels() -> None:
    folder, listed = entries()
    cases = [entry for entry in listed if entry["type"] == "rdfc:RDFC10MapTest"]
    assert len(cases) == 21
    for entry in cases:
        labels = {k[2:]: v[2:] for k, v in run(folder, entry).labels.items()}
        assert labels == json.loads((folder / entry["result"]).read_bytes()), entry


def test_the_poison_graph_is_refused() -> None:
    folder, listed = entries()
    cases = [entry for entry in listed if entry["type"] == "rdfc:RDFC10NegativeEvalTest"]
    assert [entry["id"] for entry in cases] == ["#test074c"]
    with pytest.raises(GraphTooComplex):
        run(folder, cases[0])


def test_pyoxigraph_gives_the_same_bytes() -> None:
    folder, listed = entries()
    for entry in listed:
        if entry["type"] != "rdfc:RDFC10EvalTest" or entry.get("hashAlgorithm"):
            continue
        quads = pyoxigraph.parse(input=(folder / entry["action"]).read_bytes(), format=NQUADS)
        dataset = pyoxigraph.Dataset(quads)
        dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
        theirs = pyoxigraph.serialize(dataset, format=NQUADS)
        assert theirs is not None
        lines = sorted(line + "\n" for line in theirs.decode().split("\n") if line)
        assert tuple(lines) == run(folder, entry).statements, entry

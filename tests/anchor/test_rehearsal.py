"""A huge batch from leaves to checked receipts: few leaves here, a million in the soak."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from seoul_wallet.anchor.rehearsal import check_receipts, synthetic_leaves
from wallet.crypto.merkle import InclusionProofInvalid, MerkleTree
from wallet.trust.facts import BatchFact

LEAVES = int(os.environ.get("SOAK_LEAVES", "5000"))
MOST_SECONDS = 60
MOST_MEMORY_MIB = 1024


@pytest.mark.soak
@pytest.mark.loopback
@pytest.mark.timeout(300)
def test_all_receipts_of_a_batch_are_right_in_time_and_memory() -> None:
    # A process of its own: its largest memory is the command's.
    command = [sys.executable, "-m", "seoul_wallet", "anchor", "rehearse", "--chain", "in-process"]
    done = subprocess.run(
        [*command, "--leaves", str(LEAVES)],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    figures = re.search(r"([0-9.]+) s of one processor\), peak memory ([0-9]+) MiB", done.stdout)
    assert figures is not None
    print(done.stdout)
    assert float(figures[1]) <= MOST_SECONDS
    assert int(figures[2]) <= MOST_MEMORY_MIB


def test_a_batch_with_another_root_or_size_is_not_passed() -> None:
    tree = MerkleTree(synthetic_leaves(100))
    batch = BatchFact(bytes(32), bytes(32), tree.root, tree.size, bytes(32), 1)
    check_receipts(tree, batch, lambda name, done, total: None)
    for wrong in (replace(batch, root=bytes(32)), replace(batch, size=101)):
        with pytest.raises(InclusionProofInvalid):
            check_receipts(tree, wrong, lambda name, done, total: None)


def test_the_leaves_have_salts_of_their_own() -> None:
    assert len({*synthetic_leaves(50), *synthetic_leaves(50)}) == 100

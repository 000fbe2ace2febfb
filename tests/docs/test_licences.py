"""What runs in production carries no licence that ADR 0008 does not name."""

import re
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ADR = ROOT / "docs" / "adr" / "0008-libraries.md"
LESSER = {"psycopg", "psycopg-binary"}
GPL = re.compile(r"\b(A?GPL|GNU (Affero )?General)", re.IGNORECASE)
LGPL = re.compile(r"\bLGPL|GNU Lesser", re.IGNORECASE)


def _pinned(name: str) -> set[str]:
    text = (ROOT / "requirements" / name).read_text("utf-8")
    return set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))


def _licence(package: str) -> str | None:
    try:
        data = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        return None  # pinned for another platform
    classifiers = [line for line in data.get_all("Classifier", []) if line.startswith("License")]
    # `License` may hold the whole text; its first line names the licence.
    stated = (data.get("License") or "").strip().partition("\n")[0]
    return "; ".join(filter(None, [data.get("License-Expression"), stated, *classifiers]))


def test_nothing_at_run_time_is_under_the_gpl_and_the_lgpl_ones_are_named() -> None:
    licences = {name: _licence(name) for name in _pinned("runtime.txt")}
    installed = {name: text for name, text in licences.items() if text is not None}
    assert len(installed) > len(licences) / 2
    assert [name for name, text in installed.items() if not text] == []
    assert {name for name, text in installed.items() if LGPL.search(text)} == LESSER
    assert {name for name, text in installed.items() if GPL.search(text)} == set()


def test_the_search_knows_the_licences_it_looks_for() -> None:
    assert LGPL.search(_licence("openvc-core") or "")
    assert not GPL.search("LGPL-3.0-only")
    assert GPL.search("GPL-3.0-or-later")
    assert GPL.search("License :: OSI Approved :: GNU Affero General Public License v3")


def test_every_pinned_package_is_in_the_list_of_the_decision() -> None:
    listed = set(re.findall(r"[a-z0-9-]+", ADR.read_text("utf-8").partition("| licence |")[2]))
    assert sorted(_pinned("runtime.txt") - listed) == []

"""The rules of the tree that no type checker sees: layers, sizes, docstrings, what is in git."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("wallet", "issuer", "verifier", "ballotbox", "seoul_wallet", "mvote_verify")
MAX_LINES = 400
# Spelled in halves, so that this file does not name what it looks for.
NOT_TO_BE_NAMED = (
    "/wo" + "rk/",
    "/ro" + "ot/",
    "py" + "pi.org",
    "registry.npm" + "js.org",
    "files.python" + "hosted.org",
)


@dataclass(frozen=True)
class Plant:
    """A module that breaks a rule, and what the linter must say about it."""

    module: str
    imports: str

    @property
    def path(self) -> Path:
        return Path(*self.module.split(".")).with_suffix(".py")

    @property
    def complaint(self) -> re.Pattern[str]:
        return re.compile(rf"{re.escape(self.module)}\s*->\s*{re.escape(self.imports)}")


PLANTS = (
    Plant("wallet.credentials.planted_sqlite", "sqlite3"),
    Plant("wallet.credentials.planted_web3", "web3"),
    Plant("wallet.verification.planted_clock", "time"),
    Plant("wallet.encoding.planted_upwards", "wallet.crypto.hashing"),
    Plant("wallet.holder.planted_adapter", "wallet.adapters.clock"),
    Plant("wallet.trust.planted_composition", "seoul_wallet.cli"),
    Plant("verifier.planted_issuer", "issuer.calendar"),
    Plant("issuer.planted_holder", "wallet.holder.texts"),
    Plant("mvote_verify.planted_wallet", "wallet.encoding"),
    Plant("verifier.planted_second_opinion", "mvote_verify.tree"),
)

ROOM_WITHOUT_LAYER = Plant("wallet.planted_room", "wallet.errors")


def _lint_imports(tree: Path) -> tuple[int, str]:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages and their rules."""
    copy = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, copy / package, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@pytest.fixture(scope="module")
def planted(tree: Path) -> Iterator[tuple[int, str]]:
    """What the linter says when every rule is broken once."""
    for plant in (*PLANTS, ROOM_WITHOUT_LAYER):
        (tree / plant.path).write_text(f'"""Planted."""\n\nimport {plant.imports}\n', "utf-8")
    yield _lint_imports(tree)
    for plant in (*PLANTS, ROOM_WITHOUT_LAYER):
        (tree / plant.path).unlink()


@pytest.fixture(scope="module")
def clean(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    """What the linter says of the tree as it is."""
    copy = tmp_path_factory.mktemp("clean") / "tree"
    ignore = shutil.ignore_patterns("planted_*")
    shutil.copytree(tree, copy, ignore=ignore)
    return _lint_imports(copy)


def test_the_tree_keeps_its_layers(clean: tuple[int, str]) -> None:
    status, output = clean
    assert status == 0, output


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.module)
def test_an_import_against_the_layers_is_named(
    plant: Plant, planted: tuple[int, str], clean: tuple[int, str]
) -> None:
    status, output = planted
    assert status == 1
    assert plant.complaint.search(output), output
    assert plant.module not in clean[1]


def test_a_module_of_no_layer_is_named(planted: tuple[int, str], clean: tuple[int, str]) -> None:
    assert ROOM_WITHOUT_LAYER.module in planted[1], planted[1]
    assert ROOM_WITHOUT_LAYER.module not in clean[1]


def test_the_library_loads_without_chain_web_and_database() -> None:
    probe = (
        "import sys, wallet, wallet.evidence, wallet.holder.wallet\n"
        "heavy = {'web3', 'flask', 'sqlalchemy', 'eth_tester', 'alembic'}\n"
        "print(wallet.__file__, *sorted(heavy & set(sys.modules)), sep='\\n')"
    )
    assert _loaded(probe) == []


def test_the_probe_sees_what_an_adapter_loads() -> None:
    probe = (
        "import sys, wallet, wallet.adapters.sql.engine\n"
        "print(wallet.__file__, *sorted({'sqlalchemy'} & set(sys.modules)), sep='\\n')"
    )
    assert _loaded(probe) == ["sqlalchemy"]


def _loaded(probe: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", probe],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    location, *heavy = done.stdout.splitlines()
    assert Path(location).is_relative_to(ROOT)
    return heavy


def _sources(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def test_no_file_is_longer_than_a_reader_keeps_in_mind() -> None:
    sources = _sources(*PACKAGES)
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in sources}
    assert lengths
    too_long = {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > MAX_LINES}
    assert too_long == {}


def test_every_package_says_what_is_in_it() -> None:
    rooms = [path for path in _sources(*PACKAGES) if path.name == "__init__.py"]
    assert rooms
    assert [str(path) for path in rooms if not ast.get_docstring(_parse(path))] == []


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in _sources(*PACKAGES) if "migrations" not in path.parts}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_every_public_name_of_the_library_has_a_docstring() -> None:
    # alembic's scripts have one `upgrade` each, which alembic defines.
    sources = [path for path in _sources("wallet") if path.parent.name != "versions"]
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sources
        for node in _parse(path).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("git knows which files are committed, and it is not here")
    done = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / name for name in done.stdout.decode("utf-8").split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_no_committed_file_names_a_machine_or_a_registry() -> None:
    paths = _tracked()
    assert paths
    found = [
        f"{path.relative_to(ROOT)} names {word}"
        for path in paths
        for word in NOT_TO_BE_NAMED
        if word.encode() in path.read_bytes()
    ]
    assert found == []


def test_no_npm_lock_names_an_address() -> None:
    locks = [path for path in _tracked() if path.name == "package-lock.json"]
    assert locks
    assert [str(path) for path in locks if b'"resolved"' in path.read_bytes()] == []


def test_text_files_have_unix_line_endings_and_end_with_one() -> None:
    # Normative contexts are kept byte for byte, and forge writes its snapshots as it likes.
    ours = [
        path for path in _tracked() if path.suffix != ".jsonld" and "snapshots" not in path.parts
    ]
    texts = {path: path.read_bytes() for path in ours}
    texts = {path: data for path, data in texts.items() if data and b"\0" not in data}
    assert [str(path) for path, data in texts.items() if b"\r\n" in data] == []
    assert [str(path) for path, data in texts.items() if not data.endswith(b"\n")] == []

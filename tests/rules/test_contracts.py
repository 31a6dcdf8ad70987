"""The import contracts of pyproject.toml leave no room out: a new room is under contract from its first day."""

import re
import tomllib
from typing import Any

from tests.rules.sources import FRONT, PACKAGE, ROOT

CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"][
    "importlinter"
]["contracts"]
ROOMS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
LAYERS = next(contract for contract in CONTRACTS if contract["type"] == "layers")
BELOW, BARE = (contract for contract in CONTRACTS if contract["type"] == "forbidden")


def test_every_room_has_its_layer() -> None:
    layers = {name for line in LAYERS["layers"] for name in re.findall(r"\w+", line)}
    assert sorted(ROOMS - layers) == []


def test_every_room_below_the_front_knows_no_form() -> None:
    bound = {name.removeprefix("collab.") for name in BELOW["source_modules"]}
    assert sorted(ROOMS - set(FRONT) - bound) == []


def test_the_extensions_import_no_room() -> None:
    barred = {name.removeprefix("collab.") for name in BARE["forbidden_modules"]}
    assert sorted(ROOMS - barred) == []


def test_front_rooms_are_independent() -> None:
    rooms = {f"collab.web.{path.parent.name}" for path in PACKAGE.glob("web/*/__init__.py")}
    independent = next(contract for contract in CONTRACTS if contract["type"] == "independence")
    assert set(independent["modules"]) == rooms


def test_no_import_is_ignored() -> None:
    assert [contract["name"] for contract in CONTRACTS if "ignore_imports" in contract] == []

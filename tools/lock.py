"""Pinned requirements with hashes: `write` makes them with uv, `check` says whether they still fit pyproject.toml.

Usage: python tools/lock.py write | check
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = ROOT / "requirements"
# The order matters: each file is made to agree with those before it.
ARGUMENTS = {
    "runtime": ["pyproject.toml"],
    "postgres": ["--extra", "postgres", "pyproject.toml"],
    "pdf": ["--extra", "pdf", "pyproject.toml"],
    "build": ["--group", "build"],
    "test": ["--group", "test"],
    "check": ["--group", "check"],
}
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^ ;\\]+)", re.MULTILINE)


def declared() -> dict[str, list[Requirement]]:
    """What pyproject.toml asks for, by the name of the file that pins it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = {name: project["dependency-groups"][name] for name in ("build", "test", "check")}
    asked["runtime"] = project["project"]["dependencies"]
    for name in ("postgres", "pdf"):
        asked[name] = project["project"]["optional-dependencies"][name]
    return {name: [Requirement(line) for line in lines] for name, lines in asked.items()}


def pinned(name: str) -> dict[str, str]:
    """Version by package of one file."""
    text = (LOCKS / f"{name}.txt").read_text()
    return {canonicalize_name(pin["name"]): pin["version"] for pin in PIN.finditer(text)}


def write() -> None:
    """Pin everything anew."""
    LOCKS.mkdir(exist_ok=True)
    before: list[str] = []
    for name, arguments in ARGUMENTS.items():
        file = LOCKS / f"{name}.txt"
        command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", *arguments, "--upgrade"]
        command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--quiet"]
        command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
        for earlier in before:
            command += ["--constraint", earlier]
        subprocess.run(
            [*command, "--output-file", str(file)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
        )
        before.append(str(file))


def check() -> list[str]:
    """Everything that is wrong with the files, as sentences."""
    wrong = []
    seen: dict[str, tuple[str, str]] = {}
    for name, requirements in declared().items():
        pins = pinned(name)
        for requirement in requirements:
            version = pins.get(canonicalize_name(requirement.name))
            if version is None:
                wrong.append(f"requirements/{name}.txt does not pin {requirement.name}.")
            elif not requirement.specifier.contains(version, prereleases=True):
                wrong.append(f"requirements/{name}.txt pins {requirement.name} {version}, not {requirement}.")
        for package, version in pins.items():
            other, elsewhere = seen.setdefault(package, (version, name))
            if other != version:
                wrong.append(f"{package} is {version} in {name}.txt and {other} in {elsewhere}.txt.")
        if "://" in (LOCKS / f"{name}.txt").read_text():
            wrong.append(f"requirements/{name}.txt names an address.")
    return wrong


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write"]:
            write()
        case ["check"]:
            if wrong := check():
                sys.exit("\n".join([*wrong, "Run `make lock`."]))
        case _:
            sys.exit(__doc__)

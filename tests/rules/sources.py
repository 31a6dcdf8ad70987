"""What the rules read: the sources, as text and as syntax."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "collab"
TEMPLATES = ROOT / "templates"
STATIC = ROOT / "static"
#: What knows requests: all else lies below.
FRONT = ("web", "api", "cli")


def modules(*, below_the_front: bool = False) -> Iterator[tuple[str, ast.Module]]:
    """Each module of the package, by its path in it."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = str(path.relative_to(PACKAGE))
        if name.startswith("migrations/"):
            continue
        if below_the_front and (name.partition("/")[0] in FRONT or name == "__init__.py"):
            continue
        yield name, ast.parse(path.read_text())


def files_of(folder: Path, *suffixes: str) -> Iterator[tuple[str, str]]:
    """Each text file of a folder, by its path in the repository."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in suffixes and path.is_file():
            yield str(path.relative_to(ROOT)), path.read_text()

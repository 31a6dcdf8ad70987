"""What is pinned fits what is asked for, and nothing says where packages come from."""

import re
from pathlib import Path

import pytest

from tests.rules.sources import ROOT
from tools import lock

WHERE_FROM = re.compile(
    r"--(?:extra-)?index-url|--find-links|--trusted-host|/simple/?(?:[\"'\s]|$)", re.MULTILINE
)
FILES = (
    "Makefile",
    ".ci/run",
    "pyproject.toml",
    "README.md",
    "CONTRIBUTING.md",
    "requirements/*.txt",
    "tools/*",
    "docs/**/*.md",
)


def test_the_locks_fit() -> None:
    assert lock.check() == []


def test_everything_pinned_has_a_hash() -> None:
    for file in sorted(lock.LOCKS.glob("*.txt")):
        entries = re.split(r"\n(?=\S)", file.read_text().strip())
        assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == [], file.name


def test_no_file_says_where_packages_come_from() -> None:
    named = [
        path for pattern in FILES for path in ROOT.glob(pattern) if path.is_file() and path.name != "lock.py"
    ]
    assert len(named) > 10
    assert {path.name: bad for path in named if (bad := WHERE_FROM.findall(path.read_text()))} == {}
    assert WHERE_FROM.search("pip install --index-url x")
    assert WHERE_FROM.search("https://packages.example.org/simple/\n")


@pytest.mark.parametrize(
    ("name", "before", "after", "problem"),
    [
        ("runtime", r"\nflask==[\d.]+", "\nflask==2.0.0", "pins flask 2.0.0, not flask<3.2,>=3.1"),
        ("runtime", r"zxcvbn==", "other==", "does not pin zxcvbn"),
        ("check", r"click==[\d.]+", "click==8.0.0", "8.0.0 in check.txt"),
        ("test", r"\A", "--index-url https://packages.example.org/simple\n", "names an address"),
    ],
)
def test_each_flaw_of_a_lock_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, before: str, after: str, problem: str
) -> None:
    for file in lock.LOCKS.glob("*.txt"):
        text = file.read_text()
        (tmp_path / file.name).write_text(re.sub(before, after, text, count=1) if file.stem == name else text)
    monkeypatch.setattr(lock, "LOCKS", tmp_path)
    assert problem in "\n".join(lock.check())

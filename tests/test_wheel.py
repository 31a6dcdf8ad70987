"""The portal as a wheel, far from its repository: it brings its pages, content, migrations and catalogues along."""

import http.client
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.processes import free_port, start

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources without anything that was compiled in place."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            target = sources / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    assert not list(sources.rglob("*.mo"))
    build = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        str(folder / "dist"),
    ]
    result = subprocess.run(build, cwd=sources, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    (made,) = (folder / "dist").glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh environment with the wheel in it; what it depends on is borrowed from here."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False, symlinks=True)
    packages = next(home.glob("lib/python*/site-packages"))
    install = [sys.executable, "-m", "pip", "--python", str(home / "bin/python"), "install"]
    options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
    result = subprocess.run([*install, *options, str(wheel)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    # By a .pth, so that the .pth of an editable install of this repository is not followed.
    borrowed = sysconfig.get_path("purelib")
    (packages / "borrowed.pth").write_text(f"import sys; sys.path.append({borrowed!r})\n")
    return home / "bin"


def test_everything_is_inside(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "static"):
        here = {f"collab/{path.relative_to(ROOT)}" for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert here <= names
    for pattern in (
        r"collab/locale/en/LC_MESSAGES/messages\.mo",
        r"collab/locale/zh/LC_MESSAGES/messages\.mo",
        r"collab/content/[^/]+/department\.yaml",
        r"collab/content/[^/]+/profile\.yaml",
        r"collab/migrations/versions/.+\.py",
        r"collab/migrations/env\.py",
        r"collab-[^/]+\.dist-info/licenses/LICENSE",
    ):
        assert any(re.fullmatch(pattern, name) for name in names), pattern
    assert not [name for name in names if name.startswith(("tests/", "tools/", "instance/"))]


def test_it_starts_from_nothing_and_serves(installed: Path, tmp_path: Path) -> None:
    port = free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("COLLAB_", "PYTHON"))
    }
    environment |= {
        "COLLAB_BASE_URL": f"http://127.0.0.1:{port}",
        "COLLAB_BIND": f"127.0.0.1:{port}",
        "COLLAB_WORKERS": "1",
        "COLLAB_INSTANCE": str(tmp_path / "instance"),
    }
    where = subprocess.run(
        [installed / "python", "-c", "import collab; print(collab.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert where.startswith(str(installed.parent)), "The repository's own package was imported."

    made = subprocess.run(
        [installed / "collab", "init"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr

    server = start([installed / "collab", "serve"], log=tmp_path / "log", env=environment, cwd=tmp_path)
    try:
        server.wait_until(lambda: _get(port, "/healthz")[0] == 200)
        status, page = _get(port, "/zh/", follow=True)
        assert status == 200, server.output
        assert '<html lang="zh' in page
        stylesheets = re.findall(r'<link[^>]+href="([^"]+\.css[^"]*)"', page)
        assert stylesheets
        assert {_get(port, address)[0] for address in stylesheets} == {200}
    finally:
        server.stop()


def _get(port: int, path: str, *, follow: bool = False) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()
    if follow and 300 <= response.status < 400:
        target = response.headers["Location"].removeprefix(f"http://127.0.0.1:{port}")
        return _get(port, target, follow=True)
    return response.status, text

"""Templates as an earlier process compiled them: quicker, never wrong, and no reason to refuse a page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest

from collab import create_app
from collab.departments import Department
from collab.settings import Settings
from collab.web.templating import Compiled, compiled_in
from tests.support import installation

START = "/en/nuclear-medicine/"
pytestmark = pytest.mark.one_database


@pytest.fixture
def kept(department: Department, settings: Settings) -> Path:
    """Where the installation of the test keeps what it compiled; another process has shown the first page."""
    answered(settings)
    return settings.instance / "compiled"


def answered(settings: Settings) -> list[str]:
    """Show the first page as a process that has just started does; which templates it had to compile."""
    app = create_app(settings)
    compiled: list[str] = []
    compile_one = app.jinja_env._compile  # what every way into the compiler comes through

    def noted(source: str, filename: str) -> Any:
        compiled.append(filename)
        return compile_one(source, filename)

    app.jinja_env._compile = noted  # type: ignore[method-assign]
    answer = app.test_client().get(START, base_url=settings.base_url)
    with app.app_context():
        installation.close(app)
    assert answer.status_code == 200
    assert "Nuclear Medicine" in answer.get_data(as_text=True)
    return compiled


def test_the_next_process_compiles_nothing_of_it_again(kept: Path, settings: Settings) -> None:
    assert (kept.stat().st_mode & 0o777) == 0o700
    assert all(one.stat().st_mode & 0o077 == 0 for one in kept.iterdir())
    assert answered(settings) == []


def torn(kept: Path) -> None:
    for one in kept.iterdir():
        one.write_bytes(one.read_bytes()[:40])


def foreign(kept: Path) -> None:
    for one in kept.iterdir():
        one.write_bytes(b"\x00" * 200)


def gone(kept: Path) -> None:
    for one in kept.iterdir():
        one.unlink()
    kept.rmdir()
    kept.write_text("no folder")


def open_to_all(kept: Path) -> None:
    kept.chmod(0o777)


@pytest.mark.parametrize("harm", [torn, foreign, gone, open_to_all])
def test_f09_what_cannot_be_used_is_compiled_anew(
    kept: Path, settings: Settings, harm: Callable[[Path], None]
) -> None:
    harm(kept)
    assert answered(settings)


def test_f09_what_cannot_be_kept_is_no_reason_to_refuse_a_page(tmp_path: Path) -> None:
    kept = compiled_in(tmp_path / "compiled")
    assert kept is not None
    (tmp_path / "compiled").rmdir()
    environment = jinja2.Environment(
        autoescape=True,
        bytecode_cache=kept,
        loader=jinja2.DictLoader({"page": "{{ 1 + 1 }}"}),
        extensions=["jinja2.ext.i18n"],
    )
    assert environment.get_template("page").render() == "2"


def test_what_was_compiled_in_another_way_is_not_used(tmp_path: Path) -> None:
    kept = Compiled(str(tmp_path))
    for trim, drawn in ((False, "\nx"), (True, "x")):
        environment = jinja2.Environment(
            autoescape=True,
            bytecode_cache=kept,
            loader=jinja2.DictLoader({"page": "{% if true %}\nx{% endif %}"}),
            trim_blocks=trim,
            extensions=["jinja2.ext.i18n"],
        )
        assert environment.get_template("page").render() == drawn

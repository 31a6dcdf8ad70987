"""Pages joined from kept pieces: the same as drawn in one go, never old, never another's, nothing of anybody."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import time_machine
import yaml
from flask import Flask

from collab import create_app, departments, profile
from collab.accounts import COMMAND
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.profile import ProfileDocument, queries
from collab.settings import Settings
from collab.web import pieces
from collab.web.pieces import Sheets
from tests.support import installation
from tests.support.client import Client

if TYPE_CHECKING:
    from tests.support.people import Staff

pytestmark = pytest.mark.one_database

NAMES = (
    "",
    "research",
    "clinical",
    "facilities",
    "team",
    "teaching",
    "cooperate",
    "visit",
    "train",
    "privacy",
)
MORE = ("answers", "about-data", "accessibility", "search")
ASKED = ("past=the+cache", "q=thyroid", "q=%E7%94%B2", "q=%3Cb%3E%22")


@pytest.fixture
def sheets(app: Flask) -> Sheets:
    """What this application keeps."""
    kept: Sheets = app.extensions["collab.sheets"]
    return kept


@pytest.fixture
def elsewhere(settings: Settings, app: Flask) -> Iterator[Client]:
    """A visitor of another process at the same database: it hears of nothing that is written here."""
    other = create_app(settings)
    other.test_client_class = type("Elsewhere", (Client,), {"base_url": settings.base_url, "checked": False})
    client = other.test_client()
    assert isinstance(client, Client)
    yield client
    with other.app_context():
        installation.close(other)


def address(page: str = "", lang: str = "en", slug: str = "nuclear-medicine") -> str:
    return f"/{lang}/{slug}/{page}"


def publish(department: Department, *, lede: str) -> None:
    """Another profile: its start page says this, and its page on research is called so."""
    content = profile.current(department).as_json()
    content["start"]["lede"]["en"] = lede
    content["pages"]["research"]["title"]["en"] = lede
    with unit_of_work():
        row = departments.by_id(department.id)
        profile.publish(row, ProfileDocument.model_validate(content), by=COMMAND)


def second(tmp_path: Path, *, lede: str | None = None) -> Department:
    """A second department, which says the very same of itself under another name."""
    content = yaml.safe_load((departments.folder_of("") / "department.yaml").read_text(encoding="utf-8"))
    content |= {"slug": "second", "code": "SE", "name": {"en": "Second Department", "zh": "第二科室"}}
    (tmp_path / "department.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with unit_of_work():
        found = departments.import_department(tmp_path, by=COMMAND)
        profile.import_profile(found, "", by=COMMAND)
    return found


def test_a_page_joined_from_pieces_is_the_page_drawn_in_one_go(
    client: Client, department: Department, sheets: Sheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = [
        address(f"{page}?{query}", lang)
        for lang in ("en", "zh")
        for page in (*NAMES, *MORE)
        for query in ASKED
    ]
    with monkeypatch.context() as patched:
        patched.setattr(Sheets, "of", lambda _self, _key, fill: pieces.Sheet(fill()))
        whole = {path: client.get(path).data for path in addresses}
    assert len(sheets) == 0
    for _ in range(2):
        for path in addresses:
            assert client.get(path).data == whole[path], path
    assert len(sheets) == 2 * len((*NAMES, *MORE))


def test_what_is_published_elsewhere_is_on_the_next_page_that_is_drawn(
    client: Client, elsewhere: Client, department: Department
) -> None:
    for path in (address("?warm"), address("research?warm"), address("search?q=heading")):
        elsewhere.get(path)
    for lede in ("A first heading", "A second heading"):
        publish(department, lede=lede)
        assert lede in elsewhere.get(address("?x")).text
        assert f'<h1 id="top">{lede}</h1>' in elsewhere.get(address("research?x")).text
        assert lede in elsewhere.get(address("search?q=heading")).text  # in the menu
        assert lede in client.get(address("?x")).text


def test_settings_and_marks_of_a_department_change_its_pages_at_once(
    elsewhere: Client, department: Department, tmp_path: Path
) -> None:
    assert "Sample data" not in elsewhere.get(address("?x")).text
    content = yaml.safe_load((departments.folder_of("") / "department.yaml").read_text(encoding="utf-8"))
    content["patients_note"]["en"] = "Another word to patients."
    (tmp_path / "department.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with unit_of_work():
        departments.import_department(tmp_path, by=COMMAND)
    assert "Another word to patients." in elsewhere.get(address("?x")).text
    with unit_of_work():
        departments.by_id(department.id).is_demo = True
    assert "Sample data" in elsewhere.get(address("?x")).text


def test_a_profile_published_while_a_page_is_drawn_is_not_taken_for_the_one_before(
    department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = profile.current_revision(department).digest
    look = departments.by_slug

    def slow(slug: str) -> Department:
        publish(department, lede="Published meanwhile")
        return look(slug)

    monkeypatch.setattr(queries, "_editions", {})
    with monkeypatch.context() as patched:
        patched.setattr(departments, "by_slug", slow)
        found = profile.edition(department.slug)
    assert (found.profile.start.lede.en, found.key[-1] == before) == ("Published meanwhile", False)
    assert list(queries._editions) == [found.key]


def test_neither_departments_nor_languages_are_mixed_up(
    client: Client, department: Department, tmp_path: Path
) -> None:
    other = second(tmp_path)
    names = {(one.slug, lang): one.name(lang) for one in (department, other) for lang in ("en", "zh")}
    for _ in range(2):
        for page in (*NAMES, *MORE):
            for (slug, lang), name in names.items():
                text = client.get(address(f"{page}?x", lang, slug)).text
                assert f'<html lang="{"zh-Hans" if lang == "zh" else "en"}">' in text
                assert f'<a class="brand" href="{address("", lang, slug)}">{name}<small>' in text, (
                    slug,
                    page,
                )
                # Every address is the department's own in the page's language; the other language is named once.
                links = re.findall(r'<a\b[^>]* href="(/(?:en|zh)/[^"]*)"', text)
                away = [link for link in links if not link.startswith(address("", lang, slug))]
                assert away == [address(f"{page}?x=", "en" if lang == "zh" else "zh", slug)], (
                    slug,
                    lang,
                    page,
                )


def test_two_departments_of_the_same_words_keep_their_own_pages(
    client: Client, department: Department, tmp_path: Path
) -> None:
    """Their content has one digest, as it may have after one row was copied to make the other."""
    other = second(tmp_path)
    with unit_of_work():
        departments.by_id(other.id).content_digest = department.content_digest
    for _ in range(2):
        for one in (department, other):
            text = client.get(address("research?x", slug=one.slug)).text
            assert f'<link rel="canonical" href="{client.base_url}/en/{one.slug}/research">' in text


def test_what_depends_on_the_day_is_drawn_anew_on_the_next(client: Client, department: Department) -> None:
    said = []
    for moment in (datetime(2026, 11, 23, 15, 59, tzinfo=UTC), datetime(2026, 11, 23, 16, 1, tzinfo=UTC)):
        with time_machine.travel(moment, tick=False):  # before and after midnight in Shanghai
            for _ in range(2):
                text = client.get(address("visit?x")).text
                said.append(re.findall(r"<dd>from (\w+ \d+ \w+ \d+)</dd>", text))
    assert said[0] == said[1] != said[2] == said[3]
    assert len(said[0]) >= 2


def test_what_one_visitor_asks_for_is_nobody_elses_and_not_kept(
    client: Client, department: Department, sheets: Sheets
) -> None:
    for page in (*NAMES, *MORE):
        assert "hippopotamus" in client.get(address(f"{page}?q=hippopotamus&b=1")).text
        for query in ("", "?x", "?q=zebra"):
            assert "hippopotamus" not in client.get(address(f"{page}{query}")).text, page
    kept = list(sheets._sheets.values())
    assert len(kept) == len((*NAMES, *MORE))
    assert all(sheet.pieces for sheet in kept)
    assert not [
        1 for sheet in kept for piece in sheet.pieces.values() if re.search("hippopotamus|zebra", piece)
    ]
    assert not re.search("hippopotamus|zebra", repr([sheet.given for sheet in kept]))


def test_nothing_of_who_is_signed_in_gets_into_a_piece(
    client: Client, department: Department, staff: Callable[..., "Staff"], sheets: Sheets
) -> None:
    head = staff("head", name="Hedwig Nachtigall")
    for page in (*NAMES, *MORE):
        sheets.forget()
        first = head.get(address(f"{page}?x"))
        assert "Nachtigall" not in first.text
        assert first.data == client.get(address(f"{page}?x")).data


def test_no_query_makes_the_process_keep_more(client: Client, department: Department, sheets: Sheets) -> None:
    for page in ("", "search"):
        client.get(address(f"{page}?warm"))
    before, editions = len(sheets), len(queries._editions)
    for number in range(60):
        client.get(address(f"?{number}={number}"))
        client.get(address(f"search?q={number}"))
        assert client.get(address(f"?{number}", slug=f"none{number}")).status_code == 404
    assert (len(sheets), len(queries._editions)) == (before, editions)


def test_the_eldest_sheets_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "MOST_SHEETS", 3)
    kept = Sheets()
    for number in range(5):
        kept.of(number, dict)
    assert list(kept._sheets) == [2, 3, 4]
    with_it = kept.of(4, dict)
    assert kept.of(4, dict) is with_it


def test_a_drawn_page_asks_the_database_once(client: Client, department: Department) -> None:
    seen: list[str] = []
    for page in (*NAMES, *MORE):
        client.get(address(f"{page}?warm"))
    from sqlalchemy import event

    event.listen(db.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    for page in (*NAMES, *MORE):
        seen.clear()
        client.get(address(f"{page}?q=thyroid"))
        assert sum(one.startswith("SELECT") for one in seen) == 1, (page, seen)

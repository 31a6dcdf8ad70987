"""The report, the fairness report, their tables and the list of inquiries to take away.

A05 scope of figures and exports · A34 what an address may say · A52 formulas in what is taken away.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from collab import audit
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.inquiries import Inquiry, triage
from collab.jobs.figures import keep_sums
from collab.reports import keeping, sums, tables
from collab.reports.models import FigureDue, FigureSum
from collab.web.staff.reports import name_of_track
from tests.reports import known
from tests.reports.test_tables import PAYLOADS, PHONES, SIGNS
from tests.support.client import Client
from tests.support.people import Staff
from tests.support.statements import changes, queries, statements
from tests.support.world import World, other_department

Make = Callable[..., Staff]
TABLES = [
    "open",
    "tracks",
    "months",
    "outcomes",
    "reasons",
    "countries",
    "areas",
    "kinds",
    "languages",
    "sources",
]
LISTS = ["unanswered", "coordinators", "hosts", "reviewers"]
PERIOD = "?from=2026-09&to=2026-11"


@pytest.fixture
def filled(department: Department) -> Iterator[Department]:
    with time_machine.travel(known.TODAY, tick=True):
        known.fill(department)
        keep_sums()
        yield department


def take(client: Client, path: str) -> list[list[str]]:
    """A table as somebody reads it who opens the file."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    if path.partition("?")[0].endswith(".csv"):
        assert answer.content_type == "text/csv; charset=utf-8"
        return tables.read_csv(answer.data)
    assert answer.content_type == tables.XLSX_TYPE
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    return [["" if value is None else str(value) for value in row] for row in sheet.values]


def words(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())


def export(client: Client, path: str) -> Any:
    """Press the button that takes the list away."""
    token = client.form("/staff/account", form="myself").value("csrf_token")
    return client.post(path, data={"csrf_token": token})


# -- the page --------------------------------------------------------------------------------------------------


def test_the_head_reads_the_figures_and_who_waits(staff: Make, filled: Department) -> None:
    page = staff("head").page(f"/staff/reports{PERIOD}")
    said = words(page)
    assert "Inquiries received 27 " in said
    assert "79 %" in said
    assert "nine of ten within 6" in said
    assert "NM-2026-0023" in said
    assert "Person 23" in said
    assert "NM-2026-0022" not in said
    assert "September 2026 8 8 3 6 75 % 8 22 43 75 %" in said
    drawings = [one for one in page.iter() if str(one.tag).endswith("svg") and one.get("class") == "chart"]
    assert [words(one).split()[:2] for one in drawings] == [["Inquiries", "received"], ["Working", "days"]]
    assert len([one for one in drawings[0].iter() if str(one.tag).endswith("rect")]) == 3
    assert not [one for one in page.iter() if one.get("style")]


def test_chinese_readers_read_chinese(staff: Make, filled: Department) -> None:
    for path in ("/staff/reports", "/staff/reports/fairness"):
        (main,) = [one for one in staff("head", locale="zh").page(path).iter() if one.get("id") == "main"]
        said = words(main)
        left = set(re.findall(r"[A-Za-z]{3,}", said)) - {"CSV", "XLSX"}
        assert {word for word in left if word.islower()} <= {"visit"}, left  # the page /en/visit


def test_without_inquiries_the_page_says_what_would_appear(staff: Make, department: Department) -> None:
    assert "No inquiry came in this period" in words(staff("head").page("/staff/reports"))
    assert "Nothing to compare yet" in words(staff("head").page("/staff/reports/fairness"))


def test_the_page_and_the_file_say_the_same(staff: Make, filled: Department) -> None:
    head = staff("head")
    page = head.page(f"/staff/reports{PERIOD}")
    for key in TABLES:
        csv = take(head, f"/staff/reports/{key}.csv{PERIOD}")
        xlsx = take(head, f"/staff/reports/{key}.xlsx{PERIOD}")
        assert csv == xlsx, key
        section = next(one for one in page.iter() if one.get("id") == key)
        shown = [row for row in section.iter() if str(row.tag).endswith("tr")][1:]
        assert len(shown) == len(csv) - 1
        for row, cells in zip(shown, csv[1:], strict=True):
            assert words(row).startswith(cells[0])
    assert csv[1] == ["not known", "15", "55.6"]


def test_periods_and_filters(staff: Make, filled: Department) -> None:
    head = staff("head")
    path = "/staff/reports/outcomes.csv?from=2026-11&to=2026-11&track=visit&area=thyroid_i131"
    assert take(head, path)[-1] == ["All", "5", "100.0"]
    page = head.page("/staff/reports?from=2025-01&to=2025-12")
    current = [words(one) for one in page.iter() if one.get("aria-current") == "true"]
    assert current == ["Last year"]
    assert head.form("/staff/reports?track=visit", form="asked").value("track") == "visit"


def test_asking_costs_the_same_for_few_and_for_many(staff: Make, department: Department, app: Flask) -> None:
    head = staff("head", "coordinator")
    counts = []
    with time_machine.travel(known.TODAY, tick=True):
        for _round in range(2):
            head.get(f"/staff/reports{PERIOD}")
            with statements(db.engine) as found:
                assert head.get(f"/staff/reports{PERIOD}").status_code == 200
            assert not changes(found), "reading writes nothing"
            counts.append(len(queries(found)))
            if not _round:
                known.fill(department)
                keep_sums()
    assert counts[1] <= counts[0] + 1  # the names of the coordinators
    assert counts[1] <= 20


# -- who reads what --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_a05_who_sees_no_inquiries_reads_no_name_no_reference_and_no_small_number(
    staff: Make, filled: Department, role: str
) -> None:
    member = staff(role)
    texts = [member.get(f"/staff/reports{PERIOD}").text, member.get("/staff/reports/fairness").text]
    for key in [*TABLES, "ages"]:
        rows = take(member, f"/staff/reports/{key}.csv{PERIOD}")
        texts.append("\n".join(",".join(row) for row in rows))
        assert rows == take(member, f"/staff/reports/{key}.xlsx{PERIOD}")
        counted = [
            place for place, head in enumerate(rows[0]) if head in {"Inquiries", "Received", "Decisions"}
        ]
        for row in rows[1:]:
            assert all(row[place] == "not shown" or int(row[place]) >= 5 for place in counted), (key, row)
    for text in texts:
        assert not re.search(r"NM-2026-\d|Person \d|Institution \d|Title \d|person-\d", text)
    for key in LISTS:
        for ending in ("csv", "xlsx"):
            assert member.get(f"/staff/reports/{key}.{ending}").status_code == 403
    token = member.form("/staff/account", form="myself").value("csrf_token")
    for path in ("/staff/reports/inquiries.csv", "/staff/inquiries.xlsx"):
        assert member.post(path, data={"csrf_token": token}).status_code == 403


def test_only_heads_read_how_much_each_has_to_do(staff: Make, filled: Department) -> None:
    coordinator, head = staff("coordinator"), staff("head")
    assert take(coordinator, "/staff/reports/unanswered.csv")[1][:2] == ["NM-2026-0023", "Person 23"]
    for key in LISTS[1:]:
        assert coordinator.get(f"/staff/reports/{key}.csv").status_code == 403
        assert f'id="{key}"' not in coordinator.get("/staff/reports").text
        assert take(head, f"/staff/reports/{key}.csv")
    assert take(head, "/staff/reports/coordinators.csv")[1] == ["nobody yet", "10"]


@pytest.mark.parametrize(
    "roles", [("host",), ("reviewer",), ("compliance",), ("radiation_safety_officer",), ()]
)
def test_a05_the_figures_are_closed_to_the_other_roles(
    staff: Make, filled: Department, roles: tuple[str, ...]
) -> None:
    member = staff(*roles)
    for path in ("", "/fairness", *(f"/{key}.csv" for key in [*TABLES, *LISTS]), "/fairness/tracks.xlsx"):
        assert member.get(f"/staff/reports{path}").status_code == 403, path


def test_a_viewer_who_may_see_nothing_else_lands_on_the_reports(staff: Make, filled: Department) -> None:
    viewer = staff("viewer")
    answer = viewer.get("/staff/")
    assert (answer.status_code, answer.location) == (303, "/staff/reports")
    page = viewer.page("/staff/reports")
    (nav, *_more) = [one for one in page.iter() if str(one.tag).endswith("nav")]
    assert words(nav) == "Reports"
    assert staff("admin").get("/staff/").status_code == 200


def test_a05_another_departments_figures_do_not_exist(
    staff: Make, filled: Department, tmp_path: Path, world: World
) -> None:
    other = other_department(tmp_path / "other")
    stranger = staff("head", signed_in=False)
    with unit_of_work():
        (membership,) = stranger.user.memberships
        membership.department_id = other.id
    stranger.sign_in()
    mine = take(stranger, f"/staff/reports/outcomes.csv{PERIOD}")
    assert len(mine) == 1, "no inquiry of the other department is counted"
    assert stranger.get(f"/staff/reports?department={filled.slug}").status_code == 404
    assert stranger.get("/staff/reports/fairness?department=none").status_code == 404
    assert len(tables.read_csv(export(stranger, f"/staff/reports/inquiries.csv{PERIOD}").data)) == 1
    assert len(tables.read_csv(export(stranger, "/staff/inquiries.csv").data)) == 1
    assert (
        export(stranger, f"/staff/reports/inquiries.csv{PERIOD}&department={filled.slug}").status_code == 404
    )


# -- what an address may say -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "from=2026", "from=2026-13", "from=2026-00", "from=26-01", "from=2026-01-01", "from=' OR 1=1",
        "from=１９９９-01",
        "from=2019-12", "to=2999-01", "from=2026-11&to=2026-10", "to=-1", "track=visits", "track=visit&track=training",
        "track[]=visit", "area=none", "area=../../etc", "area=%00", "sort=n", "order=desc", "page=2", "dir=up",
        "lang=zh",
        "period=all", "message=<script>alert(1)</script>", "year=2026", "from=%FF",
    ],
)  # fmt: skip
def test_a34_an_address_says_only_what_a_report_has(staff: Make, filled: Department, query: str) -> None:
    head = staff("head")
    for path in ("", "/countries.csv", "/unanswered.xlsx"):
        answer = head.get(f"/staff/reports{path}?{query}")
        assert answer.status_code == 400, path
        assert "alert(1)" not in answer.text


@pytest.mark.parametrize(
    "query", ["year=1999", "year=2027", "year=x", "from=2026-01", "track=visit", "year=2026&year=2026"]
)
def test_a34_the_fairness_report_takes_a_year_and_nothing_else(
    staff: Make, filled: Department, query: str
) -> None:
    head = staff("head")
    for path in ("", "/tracks.csv"):
        assert head.get(f"/staff/reports/fairness{path}?{query}").status_code == 400
    assert head.get("/staff/reports/fairness?year=2026&year=").status_code == 400
    assert head.get("/staff/reports/nothing.csv").status_code == 404
    assert head.get("/staff/reports/open.ods").status_code == 404


# -- the list --------------------------------------------------------------------------------------------------


def test_the_list_holds_what_the_report_counts(staff: Make, filled: Department) -> None:
    head = staff("head")
    answer = export(head, f"/staff/reports/inquiries.csv{PERIOD}")
    assert answer.status_code == 200
    assert (
        'filename="nuclear-medicine-inquiries-2026-09-2026-11.csv"' in answer.headers["Content-Disposition"]
    )
    header, *rows = tables.read_csv(answer.data)
    assert len(rows) == 27
    assert {row[0] for row in rows} == {f"NM-2026-{n:04d}" for n in (*range(1, 16), *range(20, 32))}
    first = dict(zip(header, rows[0], strict=True))
    assert first["Received"] == "2026-09-28 10:00:00", "at the department's place"
    assert (first["Track"], first["Country or region"], first["Country code"]) == (
        name_of_track(known.Track.COOPERATION), "Germany", "DE",
    )  # fmt: skip
    assert first["E-mail"] == "person-1@example.org"
    one = export(head, f"/staff/reports/inquiries.xlsx{PERIOD}&track=visit&area=thyroid_i131")
    sheet = openpyxl.load_workbook(io.BytesIO(one.data)).active
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [f"NM-2026-{n:04d}" for n in range(27, 32)]
    assert sheet["L2"].value.isoformat() == "2026-11-09T10:00:00"
    assert sheet["L2"].is_date


def test_the_queue_can_be_taken_away_as_it_is_seen(
    staff: Make, filled: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collab.reports import exports

    monkeypatch.setattr(exports, "PIECE", 4)
    head = staff("head")
    rows = tables.read_csv(export(head, "/staff/inquiries.csv?status=declined").data)[1:]
    assert [row[0] for row in rows] == [f"NM-2026-{n:04d}" for n in (31, 30, 29, 7, 5, 2)]
    assert len(tables.read_csv(export(head, "/staff/inquiries.csv?status=open").data)) == 11
    assert export(head, "/staff/inquiries.csv?status=nothing").status_code == 400


def test_a05_a_declared_conflict_closes_the_list_and_who_waits(staff: Make, filled: Department) -> None:
    head = staff("head")
    with unit_of_work():
        triage.declare_conflict(db.session.get_one(Inquiry, 23), by=head.actor)
    assert "NM-2026-0023" not in head.get("/staff/reports").text
    assert len(take(head, "/staff/reports/unanswered.csv")) == 1
    for path in (
        f"/staff/reports/inquiries.csv{PERIOD}",
        "/staff/inquiries.csv",
        "/staff/inquiries.csv?status=received",
    ):
        text = export(head, path).text
        assert "NM-2026-0023" not in text
        assert "NM-2026-0022" in text
    assert "NM-2026-0023" in staff("coordinator").get("/staff/reports").text


def test_a05_who_judges_what_is_closed_does_not_follow_from_the_loads(staff: Make, world: World) -> None:
    head, host = staff("head"), staff("host", name="Hilde Host")
    reviewer = staff("reviewer", name="Rolf Reviewer")
    area = world.department.settings.areas[1].code
    id = world.received(area=area)
    world.route(id, host.actor)
    world.route(id, reviewer.actor, kind="reviewer")
    # The coordinator who routes it has it in hand.
    owner = world.user(world.actor("coordinator"))
    open_one = world.received()
    world.route(open_one, host.actor)
    scope = f"?track=cooperation&area={area}"

    def rows() -> dict[str, list[list[str]]]:
        return {key: take(head, f"/staff/reports/{key}.csv{scope}")[1:] for key in LISTS[1:]}

    assert rows() == {
        "coordinators": [[owner.name, "1"]],
        "hosts": [["Hilde Host", "1", "0"]],
        "reviewers": [["Rolf Reviewer", "1", "0"]],
    }
    world.do(triage.declare_conflict, id, by=head.actor)
    assert rows() == {"coordinators": [], "hosts": [], "reviewers": []}
    page = head.get(f"/staff/reports{scope}").text
    assert "Rolf Reviewer" not in page
    every = {key: take(head, f"/staff/reports/{key}.csv")[1:] for key in LISTS[1:]}
    assert every["hosts"] == [["Hilde Host", "1", "0"]]
    assert every["coordinators"] == [[owner.name, "1"]]


def test_a05_what_came_of_a_closed_inquiry_does_not_follow_from_small_figures(
    staff: Make, filled: Department
) -> None:
    head, other = staff("head"), staff("head")
    # One month, one track, one area: what is left is one inquiry, and its status.
    scope = "?from=2026-09&to=2026-09&track=visit&area=nuclear_oncology"
    plain = take(head, f"/staff/reports/outcomes.csv{scope}")
    shown = head.get(f"/staff/reports{scope}").text
    with unit_of_work():
        triage.declare_conflict(db.session.get_one(Inquiry, 5), by=head.actor)
    covered = take(head, f"/staff/reports/outcomes.csv{scope}")
    assert [row[0] for row in covered] == [row[0] for row in plain]
    assert covered != plain
    assert not any(cell in {"1", "2", "3", "4"} for row in covered for cell in row)
    assert head.get(f"/staff/reports{scope}").text != shown
    assert take(other, f"/staff/reports/outcomes.csv{scope}") == plain


def test_a_list_taken_away_is_noted_and_nobody_is_led_to_it_by_a_link(
    staff: Make, filled: Department
) -> None:
    head = staff("head")
    assert head.get(f"/staff/reports/inquiries.csv{PERIOD}").status_code == 405
    assert head.post(f"/staff/reports/inquiries.csv{PERIOD}").status_code == 400, "without the form's token"
    export(head, f"/staff/reports/inquiries.csv{PERIOD}")
    export(head, "/staff/inquiries.xlsx?q=Person+23&country=KR")
    events = db.session.scalars(sa.select(audit.AuditEvent).filter_by(action="inquiry.exported")).all()
    assert [(one.actor_id, one.department_id, one.detail) for one in events] == [
        (head.user_id, filled.id, {"ending": "csv", "asked": {"from": "2026-09", "to": "2026-11"}}),
        (head.user_id, filled.id, {"ending": "xlsx", "asked": {"country": "KR", "q": "…"}}),
    ]


def test_a52_what_partners_write_is_no_formula_and_stays_whole(staff: Make, world: World) -> None:
    """In every field there is, as a form that let everything pass would leave it."""
    texts = [text.strip() for text in (*PAYLOADS, *PHONES) if text.isprintable() and len(text) <= 120]
    head = staff("head", name=texts[0])
    with time_machine.travel(known.TODAY, tick=True):
        for text in texts:
            id = world.received(full_name=text, institution_name=text, title=text)
            with unit_of_work():
                one = world.get(id)
                one.source_page, one.coordinator_id = text, head.user_id
        for path in ("/staff/reports/inquiries", "/staff/inquiries"):
            header, *rows = tables.read_csv(export(head, f"{path}.csv").data)
            place = {name: header.index(name) for name in ("Title", "Full name", "Institution", "Page")}
            assert {tuple(row[at] for at in place.values()) for row in rows} == {
                (text,) * 4 for text in texts
            }
            assert {row[header.index("Coordinator")] for row in rows} == {texts[0]}
            sheet = openpyxl.load_workbook(io.BytesIO(export(head, f"{path}.xlsx").data)).active
            cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
            assert not [cell for cell in cells if cell.data_type == "f"]
            for text in texts:
                if "_x" not in text:
                    assert sum(cell.value == text for cell in cells) >= 4
            for delimiter in ",;\t":
                content = io.StringIO(export(head, f"{path}.csv").data.decode("utf-8-sig"), newline="")
                for row in csv.reader(content, delimiter=delimiter):
                    assert not [cell for cell in row if cell.lstrip('"\u00a0\u3000 ').startswith(SIGNS)]
        assert {row[0] for row in take(head, "/staff/reports/sources.csv")[1:-1]} == set(texts)
        assert take(head, "/staff/reports/coordinators.csv")[1] == [texts[0], str(len(texts))]


# -- figures that are not whole ----------------------------------------------------------------------------------


def test_while_the_sums_are_made_anew_the_page_says_so(
    staff: Make, filled: Department, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    head = staff("head")
    assert "counted anew" not in head.get("/staff/reports").text
    with unit_of_work():
        assert keeping.begin_anew(always=True) == 1
    monkeypatch.setattr(sums, "LIVE", 3)
    for path in ("/staff/reports", "/staff/reports/fairness"):
        assert "being counted anew: 32 inquiries" in words(head.page(path))
    public = client.get(f"/en/{filled.slug}/answers")
    assert public.status_code == 503, "half a truth is not published"
    keep_sums()
    assert "counted anew" not in head.get("/staff/reports").text
    assert client.get(f"/en/{filled.slug}/answers").status_code == 200


def test_the_sums_are_made_anew_when_the_rules_change(
    filled: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(db.session.execute(sa.select(FigureSum.__table__)).all(), key=str)
    monkeypatch.setattr(keeping, "RULES", 2)
    with unit_of_work():
        assert keeping.begin_anew() == 1
        assert keeping.begin_anew() == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(FigureDue)) == 32
    keep_sums()
    assert sorted(db.session.execute(sa.select(FigureSum.__table__)).all(), key=str) == before


def test_a_wrong_sum_is_found_and_mended(filled: Department, app: Flask) -> None:
    from collab.cli import main

    run = app.test_cli_runner().invoke
    assert "All sums are what counting gives." in run(main, ["figures", "check"]).output
    with unit_of_work():
        db.session.execute(
            sa.update(FigureSum).where(FigureSum.measure == "country", FigureSum.key == "KE").values(n=7)
        )
    found = run(main, ["figures", "check"])
    assert found.exit_code == 1
    assert "country, 2026-09, visit, KE, nuclear_oncology: kept 7, counted 2" in found.output
    assert run(main, ["figures", "rebuild"]).exit_code == 0
    assert run(main, ["figures", "check"]).exit_code == 0

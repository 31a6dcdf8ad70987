"""Figures and what is taken away: the report's page, the sums made anew, the list of inquiries as CSV and XLSX."""

import http.client
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.installation import Installation, cookies, department
from bench.load import ask, median
from bench.processes import ROOT, Running
from bench.report import Row

#: The invented inquiries are spread over so many days.
DAYS = 3 * 365
TIMES = 15


def rows(installation: Installation, *, size: int) -> Iterator[Row]:
    """At one size: the report from kept sums beside counting, and the list beside a plain dump of the table."""
    from bench import invented

    with installation.application():
        invented.load(size)
        _spread()
        began = time.perf_counter()
        _make_sums()
        anew = time.perf_counter() - began
        counting = _counted()
    floor, floor_memory = _floor(_database(installation))
    head = _head(installation)
    yield Row(f"sums of {size:,} made anew", anew, "s", note="in the background, after an upgrade")
    with installation.serve(COLLAB_WORKERS="1") as server:
        path = f"/staff/reports?from={time.gmtime().tm_year - 3}-01"
        ask(server, path, times=3, headers={"Cookie": head})
        page = median(ask(server, path, times=TIMES, headers={"Cookie": head}))
        yield Row(
            f"report over {size:,}, three years",
            page,
            "ms p50",
            "<= 300",
            counting,
            page,
            "floor: counted by SQL",
        )
        for ending, target in (("csv", "<= 3"), ("xlsx", "")):
            _take(
                server, head, ending, "&track=visit&area=unsure"
            )  # the first time everything is put in place
            before = _peak(server)
            took, bytes_ = min(_take(server, head, ending) for _ in range(2))
            grown = _peak(server) - before
            name = f"{ending.upper()} of {size:,} inquiries"
            note = f"{bytes_ / 1e6:.1f} MB"
            yield Row(
                name, took, "s", target, floor if target else None, took / floor if target else None, note
            )
            yield Row(f"{name}: memory", grown, "MB more", "<= 50", floor_memory if target else None, grown)


def _spread() -> None:
    """Over three years, most of them answered and closed, as a department's years would leave them."""
    import sqlalchemy as sa

    from collab.core.db import db

    if db.engine.dialect.name == "postgresql":
        back, ahead = "now() - make_interval(days => {})", "submitted_at + make_interval(days => {})"
        kind = "jsonb_build_object('organisation_type', {})"
    else:
        back, ahead = (
            "datetime('now', '-' || ({}) || ' days')",
            "datetime(submitted_at, '+' || ({}) || ' days')",
        )
        kind = "json_object('organisation_type', {})"
    kind = kind.format("CASE id % 2 WHEN 0 THEN 'university' ELSE 'hospital' END")
    changes = (
        "UPDATE department SET is_demo = true",
        (
            f"UPDATE inquiry SET submitted_at = {back.format(f'id * 7 % {DAYS}')}, answers = {kind}, "
            "source_page = '/en/page-' || (id % 9)"
        ),
        (
            f"UPDATE inquiry SET confirmed_at = submitted_at, status_since = {ahead.format(20)}, "
            f"first_answer_at = CASE WHEN id % 50 > 0 THEN {ahead.format('id % 11')} END "
            "WHERE status <> 'unconfirmed'"
        ),
    )
    with db.engine.begin() as connection:
        for change in changes:
            connection.execute(sa.text(change))


def _make_sums() -> None:
    from collab.core.db import unit_of_work
    from collab.reports import keeping

    with unit_of_work():
        keeping.begin_anew(always=True)
    while True:
        with unit_of_work():
            if not keeping.keep(2_000):
                return


def _counted() -> float:
    """Milliseconds for the same counts without sums: one GROUP BY for each table of the page."""
    import sqlalchemy as sa

    from collab.core.db import db

    began = time.perf_counter()
    with db.engine.connect() as connection:
        for column in ("status", "track", "area", "country", "locale", "source_page", "date(confirmed_at)"):
            connection.execute(sa.text(f"SELECT {column}, count(*) FROM inquiry GROUP BY 1")).all()
    return (time.perf_counter() - began) * 1000


def _head(installation: Installation) -> str:
    from tests.support import people

    with installation.application() as app:
        return cookies(people.staff(app, department(), "head", "coordinator"))


def _database(installation: Installation) -> str:
    from collab.core.db import db

    with installation.application():
        return db.engine.url.render_as_string(hide_password=False)


def _floor(database: str) -> tuple[float, float]:
    command = [sys.executable, "-m", "bench.floors.table", database]
    found = []
    for _ in range(3):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found.append([float(value) for value in done.stdout.split()])
    seconds, memory, _size = min(found)
    return seconds, memory


def _take(server: Running, cookie: str, ending: str, filters: str = "") -> tuple[float, int]:
    """Press the button; read all of the answer, as a browser does."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.request("GET", "/staff/reports", headers={"Cookie": cookie, "Host": server.host})
    form = connection.getresponse()
    page = form.read().decode()
    made = [one.partition(";")[0] for name, one in form.getheaders() if name.lower() == "set-cookie"]
    cookie = "; ".join([cookie, *made])
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    address = f"/staff/reports/inquiries.{ending}?from={time.gmtime().tm_year - 3}-01{filters}"
    headers = {
        "Cookie": cookie,
        "Host": server.host,
        "Origin": f"http://{server.host}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    began, size = time.perf_counter(), 0
    connection.request("POST", address, body=f"csrf_token={token[1]}", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    while piece := answer.read(65_536):
        size += len(piece)
    took = time.perf_counter() - began
    connection.close()
    return took, size


def _peak(server: Running) -> float:
    """The most memory one of its processes had so far, in MB."""
    statuses = (Path(f"/proc/{pid}/status").read_text() for pid in server.pids())
    return max(int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024 for status in statuses)

"""What visitors get: cached, rendered, and at first view."""

import gzip
import http.client
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from werkzeug.test import EnvironBuilder, run_wsgi_app

from bench.installation import Installation
from bench.load import Pressed, press
from bench.processes import Running, granian
from bench.report import Row

START = "/en/nuclear-medicine/"
ROUNDS = 3


def rows(installation: Installation, folder: Path, *, seconds: float) -> Iterator[Row]:
    """Cached, rendered, first view."""
    with installation.serve() as server:
        start = start_page(server)
        yield from first_view(server, start)
        page = fetch(server, start)[2]
        with granian("bench.floors.ready:app", log=folder / "ready.log", FLOOR_BYTES=str(len(page))) as floor:
            yield _compared("public page, cached", server, start, floor, seconds=seconds, target=">= 0.6")
        with granian("bench.floors.rendered:app", log=folder / "rendered.log") as floor:
            size = len(gzip.decompress(page)) / 1000
            row = _compared(
                "public page, rendered", server, f"{start}?bench=1", floor, seconds=seconds, target=">= 0.5"
            )
            yield Row(**{**row.__dict__, "note": f"{row.note}; page of {size:.0f} KB, floor's 19 KB"})
            search = f"{start}search?q=thyroid"
            yield _compared("its search, drawn for each question", server, search, floor, seconds=seconds)
    yield drawn_anew(installation, f"{start}?bench=1")


def start_page(server: Running) -> str:
    """The department's start page, wherever the first address leads."""
    path = "/en/"
    for _ in range(3):
        status, headers, _ = fetch(server, path)
        if status == 200:
            return path
        path = urlsplit(urljoin(f"http://{server.host}{path}", headers["location"])).path
    raise AssertionError("the start page only leads on")


def _compared(
    work: str, server: Running, path: str, floor: Running, *, seconds: float, target: str = ""
) -> Row:
    """Product and floor by turns, so that both meet the same disturbances; the best round of each."""
    for one, its in ((server, path), (floor, "/")):
        press(one, its, seconds=0.5)
    ours: list[Pressed] = []
    theirs: list[Pressed] = []
    for _ in range(ROUNDS):
        ours.append(press(server, path, seconds=seconds))
        theirs.append(press(floor, "/", seconds=seconds))
    assert not any(one.wrong for one in (*ours, *theirs)), "answers that were not 200"
    best = max(ours, key=lambda one: one.per_second)
    least = max(theirs, key=lambda one: one.per_second)
    cpu, floor_cpu = min(one.cpu_ms for one in ours), min(one.cpu_ms for one in theirs)
    return Row(
        work,
        best.per_second,
        "/s",
        target,
        least.per_second,
        best.per_second / least.per_second,
        f"server CPU {cpu:.3f} ms, floor {floor_cpu:.3f} ms, ratio {floor_cpu / cpu:.2f}",
    )


def drawn_anew(installation: Installation, path: str) -> Row:
    """The first page after something was published: the processor's time when no piece of it is kept."""
    from bench.floors.rendered import app as floor

    taken, least = [], []
    with installation.application() as app:
        base_url = installation.environment["COLLAB_BASE_URL"]
        for _ in range(40):
            app.extensions["collab.sheets"].forget()
            for application, times in ((app, taken), (floor, least)):
                environ = EnvironBuilder(path if application is app else "/", base_url).get_environ()
                began = time.process_time()
                _, status, _ = run_wsgi_app(application, environ, buffered=True)
                times.append((time.process_time() - began) * 1000)
                assert status == "200 OK"
    return Row(
        "first page of a new content, CPU",
        min(taken),
        "ms",
        floor=min(least),
        note="no target: once for each page, language and process",
    )


def first_view(server: Running, path: str) -> Iterator[Row]:
    """Bytes and requests of the start page in a browser that has nothing yet."""
    status, headers, body = fetch(server, path)
    assert status == 200
    total, requests, elsewhere = len(body) + _size(headers), 1, 0
    text = gzip.decompress(body).decode() if headers.get("content-encoding") == "gzip" else body.decode()
    wanted = re.findall(
        r'<link[^>]*\brel="(?:stylesheet|icon|preload|modulepreload|manifest)"[^>]*\bhref="([^"]+)"', text
    )
    wanted += re.findall(
        r'<link[^>]*\bhref="([^"]+)"[^>]*\brel="(?:stylesheet|icon|preload|modulepreload)"', text
    )
    wanted += re.findall(r'<(?:script|img|iframe|source|use|image)[^>]*\b(?:src|href)="([^"]+)"', text)
    for address in dict.fromkeys(wanted):
        parts = urlsplit(urljoin(f"http://{server.host}{path}", address))
        if parts.scheme == "data":
            continue
        if parts.netloc != server.host:
            elsewhere += 1
            continue
        status, headers, body = fetch(server, parts.path)
        assert status == 200, f"{address}: {status}"
        total, requests = total + len(body) + _size(headers), requests + 1
    yield Row("first view of the start page", total / 1000, "KB", "<= 60")
    yield Row("its requests", requests, "", "<= 6")
    yield Row("of them elsewhere", elsewhere, "", "<= 0")


def fetch(server: Running, path: str) -> tuple[int, dict[str, str], bytes]:
    """One answer, compressed as a browser takes it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip", "Accept-Language": "en"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def _size(headers: dict[str, str]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers.items()) + 20

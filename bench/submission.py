"""A partner's inquiry with a file of 20 KB, durable when it is acknowledged; one client, and eight at once."""

import http.client
import itertools
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from http.cookies import SimpleCookie
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pypdf import PdfWriter
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from bench.installation import Installation
from bench.load import rush
from bench.processes import Running, granian
from bench.public import start_page
from bench.report import Row
from collab.core import clock
from tests.support import html
from tests.support.forms import forms_of

SUMMARY = "An invented inquiry, written for a measurement. " * 12
#: A form that comes back faster than this is taken for a machine's.
PATIENCE = 3.5
CLIENTS = (1, 8)
_numbers = itertools.count(1)


def rows(installation: Installation, folder: Path, *, each: int) -> Iterator[Row]:
    """One row for each number of clients. ``each``: how many submissions of product and floor."""
    for clients in CLIENTS:
        with (
            installation.serve(COLLAB_TRUSTED_PROXIES="1") as server,
            granian(
                "bench.floors.submission:app", log=folder / "submission.log", FLOOR_FOLDER=_new(folder)
            ) as floor,
        ):
            path = f"{start_page(server)}inquire/cooperation"
            ours = _measured(server, path, _product_fields, clients=clients, each=each)
            theirs = _measured(floor, "/", _floor_fields, clients=clients, each=each)
            ours = max(ours, _measured(server, path, _product_fields, clients=clients, each=each))
            theirs = max(theirs, _measured(floor, "/", _floor_fields, clients=clients, each=each))
        yield Row(
            f"submission with a 20 KB file, {clients} client{'s' if clients > 1 else ''}",
            ours,
            "/s",
            ">= 0.5",
            theirs,
            ours / theirs,
            "no failure",
        )


Fields = Callable[[Any], tuple[str, dict[str, Any]]]


def _measured(server: Running, path: str, fields: Fields, *, clients: int, each: int) -> float:
    """Forms are opened first and filled in slowly; the clock runs while they are sent."""
    each = max(each // clients, 1)
    jobs = [[_opened(server, path, fields) for _ in range(each)] for _ in range(clients)]
    time.sleep(PATIENCE)
    done, failed, seconds = rush(jobs)
    assert not failed, f"{failed} of {done + failed} submissions failed"
    return done / seconds


def _opened(server: Running, path: str, fields: Fields) -> Callable[[], bool]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status == 200, f"{path}: {answer.status}"
    jar: SimpleCookie = SimpleCookie()
    for name, value in answer.getheaders():
        if name.lower() == "set-cookie":
            jar.load(value)
    connection.close()
    action, values = fields(html.parse(text))
    values["attachment"] = FileStorage(
        BytesIO(_file()), filename="invented.pdf", content_type="application/pdf"
    )
    boundary, body = encode_multipart(values)
    headers = {
        "Content-Type": f'multipart/form-data; boundary="{boundary}"',
        "Cookie": "; ".join(f"{one.key}={one.value}" for one in jar.values()),
        "Origin": f"http://{server.host}",
        # Each sender from a network of its own, as the portal's proxy would tell: limits are counted by network.
        "X-Forwarded-For": _address(next(_numbers)),
        "Referer": f"http://{server.host}{path}",
    }
    target = urlsplit(action).path or path

    def send() -> bool:
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        line.request("POST", target, body=body, headers=headers)
        answer = line.getresponse()
        content = answer.read()
        line.close()
        if answer.status not in {200, 303} or (answer.status == 200 and content != b"kept"):
            wrong = re.findall(r'<a href="#[^"]+">([^<]+)</a>', content.decode("utf-8", "replace"))
            print(f"POST {target}: {answer.status} {wrong[1:] or content[:200]}", file=sys.stderr)
            return False
        return True

    return send


def _address(number: int) -> str:
    return f"10.{number >> 8 & 255}.{number & 255}.1"


@cache
def _file() -> bytes:
    """A real PDF of 20 KB: one empty page, and a long line that says nothing."""
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.add_metadata({"/Subject": random.Random(1).randbytes(9_700).hex()})
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _product_fields(page: Any) -> tuple[str, dict[str, Any]]:
    number = next(_numbers)
    (form,) = [form for form in forms_of(page) if "summary" in form.names and form.method == "POST"]
    fields = {
        "full_name": f"Invented Person {number}",
        "email": f"sender{number}@example.org",
        "institution_name": "Invented University",
        "country": "DE",
        "organisation_type": "university",
        "area": "unsure",
        "cooperation_type": "joint_project",
        "title": f"Invented for a measurement, {number}",
        "summary": SUMMARY,
        "non_confidential_declaration": True,
        "privacy_ack": True,
    }
    if "needed_by" in form.names:
        fields["needed_by"] = (clock.now().date() + timedelta(days=300)).isoformat()
    action, pairs = form.answer(fields)
    return action, dict(pairs)


def _floor_fields(page: Any) -> tuple[str, dict[str, Any]]:
    (form,) = forms_of(page)
    number = next(_numbers)
    return "/", {
        "csrf_token": form.value("csrf_token"),
        "full_name": f"Invented Person {number}",
        "email": f"sender{number}@example.org",
        "institution_name": "Invented University",
        "country": "DE",
        "title": f"Invented for a measurement, {number}",
        "summary": SUMMARY,
    }


def _new(folder: Path) -> str:
    made = folder / f"floor-{next(_numbers)}"
    made.mkdir()
    return str(made)

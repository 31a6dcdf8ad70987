"""A20 forged hosts over the wire · A21 header injection · A27 what a failed SMTP sign-in gives away."""

import base64
import json
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from collab import mail
from collab.audit import AuditEvent
from collab.core.db import db, unit_of_work
from collab.core.errors import Invalid
from collab.mail import OutboxMail
from tests.support.client import Client
from tests.support.people import Staff
from tests.support.server import Server
from tests.support.smtp import Smtp

Worker = Callable[[], int]


# -- A20 -------------------------------------------------------------------------------------------------------


def speak(server: Server, request: str) -> bytes:
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as wire:
        wire.sendall(request.replace("\n", "\r\n").encode())
        answer = b""
        while part := wire.recv(65536):
            answer += part
        return answer


def test_a20_a_request_for_another_host_is_refused_and_no_answer_repeats_it(server: Server) -> None:
    ours = urlsplit(server.url).netloc
    end = "Connection: close\n\n"
    refused = {
        "host": f"GET /staff/sign-in HTTP/1.1\nHost: evil.example\n{end}",
        "absolute": f"GET http://evil.example/staff/sign-in HTTP/1.1\nHost: evil.example\n{end}",
        "port": f"GET /staff/sign-in HTTP/1.1\nHost: {ours}@evil.example\n{end}",
        "no host": f"GET /staff/sign-in HTTP/1.0\n{end}",
        "empty": f"GET /staff/sign-in HTTP/1.1\nHost:\n{end}",
        "two": f"GET /staff/sign-in HTTP/1.1\nHost: evil.example\nHost: {ours}\n{end}",
    }
    for what, request in refused.items():
        answer = speak(server, request)
        assert b" 400 " in answer.split(b"\r\n")[0], (what, answer[:200])
        assert b"evil.example" not in answer, what
    believed = {
        "forwarded host": f"GET / HTTP/1.1\nHost: {ours}\nX-Forwarded-Host: evil.example\n{end}",
        "forwarded": f"GET / HTTP/1.1\nHost: {ours}\nForwarded: host=evil.example;proto=https\n{end}",
        "absolute with our host": f"GET http://evil.example/ HTTP/1.1\nHost: {ours}\n{end}",
    }
    for what, request in believed.items():
        assert b"evil.example" not in speak(server, request), what


def test_a20_another_name_of_this_machine_leads_to_the_one_that_cookies_hold_for(server: Server) -> None:
    port = urlsplit(server.url).port
    end = "Connection: close\n\n"
    for host in (f"localhost:{port}", f"LOCALHOST:{port}", f"127.0.0.2:{port}", f"[::1]:{port}"):
        head = speak(server, f"GET /en/nuclear-medicine/search?q=a%20b HTTP/1.1\nHost: {host}\n{end}").split(
            b"\r\n"
        )
        assert b" 307 " in head[0], host
        where = [line.split(b": ", 1)[1].decode() for line in head if line.lower().startswith(b"location:")]
        assert where == [f"{server.url}/en/nuclear-medicine/search?q=a%20b"]
    for line in (
        f"POST /staff/sign-in HTTP/1.1\nHost: localhost:{port}\nContent-Length: 0",
        f"GET /staff/sign-in HTTP/1.1\nHost: localhost:{(port or 0) + 1}",
        "GET /staff/sign-in HTTP/1.1\nHost: localhost",
        f"GET /staff/sign-in HTTP/1.1\nHost: localhost.evil.example:{port}",
        f"GET /staff/sign-in HTTP/1.1\nHost: localhost:{port}:99999",
    ):
        assert b" 400 " in speak(server, f"{line}\n{end}").split(b"\r\n")[0], line
    # A path that looks like an address stays a path.
    answer = speak(server, f"GET //evil.example/ HTTP/1.1\nHost: localhost:{port}\n{end}")
    assert f"location: {server.url}/evil.example/".encode() in answer.lower()


# -- A21 -------------------------------------------------------------------------------------------------------

HOSTILE = [
    "x\nBcc: evil@evil.example",
    "x\r\nBcc: evil@evil.example\r\n\r\nbody",
    "x\rBcc: evil@evil.example",
    "x\x00Bcc: evil@evil.example",
    "x\u2028Bcc: evil@evil.example",
    "x\u2029Bcc: evil@evil.example",
    "x\x85Bcc: evil@evil.example",
    "x\x0bBcc: evil@evil.example",
    "x\x0cBcc: evil@evil.example",
    "=?utf-8?q?x=0ABcc:_evil=40evil.example=0A=0Abody?=",
    "=?utf-8?q?x=0D=0ABcc:_evil=40evil.example?=",
    "=?utf-8?b?" + base64.b64encode(b"x\nBcc: evil@evil.example").decode() + "?=",
    "=?utf-16?b?" + base64.b64encode("x\nBcc: e@evil.example".encode("utf-16")).decode() + "?=",
    "=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3D0ABcc=3A=3F=3D?=",  # an encoded word inside an encoded word
    "=?no-such-charset?q?x=0ABcc:_e?=",
    "=?utf-8?b?!!!!?= =?utf-8?q?=0A?=",
    "x\ud800",
]
#: Odd, but harmless: they must arrive as they are, and as nothing else.
ODD = [
    "Bcc: evil@evil.example",
    "=?utf-8?q?plain?=",
    "a <evil@evil.example>, b",
    "x%0ABcc:e",
    "x\\nBcc: e",
    "=?",
    "?=",
    "\u00a0",
]
EXPECTED = {
    "content-type", "mime-version", "subject", "from", "to", "date", "message-id", "auto-submitted",
    "x-auto-response-suppress", "content-transfer-encoding",
}  # fmt: skip


@pytest.mark.parametrize("field", ["subject", "name", "in_reply_to", "references"])
def test_a21_no_value_makes_a_header_or_a_recipient(
    field: str, app: Flask, smtp: Smtp, worker: Worker
) -> None:
    refused, taken = [], []
    for text in [*HOSTILE, *ODD]:
        changes: dict[str, object] = {
            "subject": {"subject": text},
            "name": {"to": (text, "p@example.org")},
            "in_reply_to": {"in_reply_to": text},
            "references": {"references": [text]},
        }[field]
        values = {"to": "p@example.org", "subject": "s", "text": text.replace("\ud800", ""), "locale": "en"}
        try:
            with unit_of_work():
                mail.enqueue("T1", reader="partner", **(values | changes))  # type: ignore[arg-type]
            taken.append(text)
        except Invalid:
            refused.append(text)
    assert set(HOSTILE) <= set(refused)
    if field in {"subject", "name"}:
        assert set(taken) == set(ODD)
    worker()
    assert len(smtp.mails) == len(taken)
    for got in smtp.mails:
        assert got.recipients == ("p@example.org",)
        names = {name.lower() for name in got.message} - {"x-peer", "x-mailfrom", "x-rcptto"}
        assert names <= EXPECTED
        assert len(got.message["To"].addresses) == 1
        assert b"\nBcc:" not in got.raw.split(b"\r\n\r\n")[0]
    if field == "subject":
        assert [got.subject for got in smtp.mails] == [text.strip() for text in taken]


# -- A27 -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("department")
def test_a27_a_failed_sign_in_at_the_server_gives_no_password_away(
    app: Flask,
    smtp_server: Callable[..., Smtp],
    staff: Callable[..., Staff],
    worker: Worker,
    capfd: pytest.CaptureFixture[str],
) -> None:
    server = smtp_server(tls="starttls", login=("portal", "right"))
    password = "Swordfish-4711-wrong"
    settings = app.extensions["collab.settings"]
    url = server.url.replace("portal:right@", f"portal:{password}@")
    app.extensions["collab.settings"] = settings.model_copy(
        update={"smtp_url": type(settings.smtp_url)(url), "smtp_ca_file": server.ca_file}
    )
    with unit_of_work():
        id = mail.enqueue("T1", to="p@example.org", locale="en", subject="s", text="t", reader="staff").id
    worker()
    assert server.mails == []
    row = db.session.get(OutboxMail, id)
    assert row is not None
    assert row.last_error == "The mail server refused the sign-in (535)."
    admin = staff("admin")
    plain = base64.b64encode(f"\0portal\0{password}".encode()).decode()
    shown = [
        admin.get("/staff/outbox").text,
        admin.get(f"/staff/outbox/{id}").text,
        json.dumps([event.detail for event in db.session.scalars(sa.select(AuditEvent))]),
        json.dumps([list(map(str, one)) for one in db.session.execute(sa.text("SELECT * FROM job_run"))]),
        "".join(capfd.readouterr()),
        repr(app.extensions["collab.settings"]),
    ]
    for text in shown:
        for secret in (password, base64.b64encode(password.encode()).decode(), plain):
            assert secret not in text
        assert "Traceback" not in text
    assert isinstance(admin, Client)


def test_a27_a_server_that_repeats_the_password_is_not_quoted() -> None:
    import smtplib

    from collab.mail.delivery import classify

    secrets = ("\0portal\0pass-word", "pass-word")
    told = base64.b64encode(b"\0portal\0pass-word")
    for error in (
        smtplib.SMTPAuthenticationError(535, b"no: " + told),
        smtplib.SMTPDataError(554, b"you said " + told + b" and pass-word"),
        smtplib.SMTPRecipientsRefused({"a@b": (550, b"pass-word")}),
        smtplib.SMTPConnectError(421, b"pass-word"),
    ):
        failure = classify(error, secrets)
        assert "pass-word" not in failure.error
        assert told.decode() not in failure.error

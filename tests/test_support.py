"""The tests' own tools: each must refuse what it is there to refuse."""

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, redirect, request

from tests.support import html
from tests.support.client import Client
from tests.support.forms import Form, choose, forms_of
from tests.support.smtp import Faults, Smtp

PAGE = '<!doctype html><html lang="en"><head><title>T</title></head><body>{}</body></html>'
FORM = PAGE.format(
    """<form method="post" action="/sent?x=1" enctype="multipart/form-data">
    <input type="hidden" name="token" value="t0k">
    <label for="n">Name</label><input id="n" name="name" value="before">
    <textarea name="text">
first
second</textarea>
    <select name="one"><option value="">-</option><option value="a" selected>A</option><option>B</option></select>
    <select name="some" multiple><option selected>x</option><option>y</option><option selected>z</option></select>
    <input type="checkbox" name="agree" value="yes"><input type="checkbox" name="news" checked>
    <input type="radio" name="r" value="1"><input type="radio" name="r" value="2" checked>
    <input name="off" value="no" disabled><input type="file" name="paper">
    <button name="step" value="save">Save</button><button name="step" value="send" formaction="/other">Send it</button>
    </form>
    <form id="search" action="/search"><input name="q"><button>Find</button></form>"""
)


@pytest.fixture
def toy() -> Client:
    """A client of an application of a few lines."""
    app = Flask("toy")

    @app.after_request
    def _headers(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Content-Security-Policy"] = "default-src 'none'"
        return response

    app.add_url_rule("/form", view_func=lambda: FORM, endpoint="form")
    app.add_url_rule("/moved", view_func=lambda: redirect("/form"), endpoint="moved")
    app.add_url_rule("/search", view_func=lambda: {"q": request.args.getlist("q")}, endpoint="search")
    app.add_url_rule("/bad", view_func=lambda: PAGE.format("<p><div></p>"), endpoint="bad")

    def sent() -> dict[str, Any]:
        return {
            "path": request.full_path,
            "form": request.form.to_dict(flat=False),
            "files": {name: [file.filename, file.read().decode()] for name, file in request.files.items()},
            "origin": request.headers.get("Origin"),
        }

    app.add_url_rule("/sent", view_func=sent, methods=["POST"], endpoint="sent")
    app.add_url_rule("/other", view_func=sent, methods=["POST"], endpoint="other")
    app.test_client_class = Client
    client = app.test_client()
    assert isinstance(client, Client)
    return client


def test_an_untouched_form_sends_what_it_held(toy: Client) -> None:
    answer = toy.fill("/form", _button="Save", name="after").json
    assert answer == {
        "path": "/sent?x=1",
        "form": {
            "token": ["t0k"],
            "name": ["after"],
            "text": ["first\r\nsecond"],
            "one": ["a"],
            "some": ["x", "z"],
            "news": ["on"],
            "r": ["2"],
            "step": ["save"],
        },
        "files": {},
        "origin": "http://127.0.0.1:8000",
    }


def test_everything_can_be_filled_in(toy: Client) -> None:
    answer = toy.fill(
        "/moved",
        _button="Send it",
        _files={"paper": ("a.txt", b"bytes")},
        _forged={"status": "accepted"},
        one="B",
        some=["y"],
        agree=True,
        news=False,
        r="1",
        text=None,
    ).json
    assert answer is not None
    assert answer["path"] == "/other?"
    assert answer["files"] == {"paper": ["a.txt", "bytes"]}
    assert answer["form"] == {
        "token": ["t0k"],
        "name": ["before"],
        "one": ["B"],
        "some": ["y"],
        "agree": ["yes"],
        "r": ["1"],
        "step": ["send"],
        "status": ["accepted"],
    }


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"nothing": "x"}, "0 forms fit"),
        ({"off": "x"}, "0 forms fit"),
        ({"one": "C"}, "one does not offer"),
        ({"r": "3"}, "r does not offer"),
        ({"_button": "Delete"}, "0 forms fit"),
        ({"_form": "nowhere"}, "0 forms fit"),
    ],
)
def test_what_the_form_does_not_offer_cannot_be_filled_in(
    toy: Client, fields: dict[str, str], says: str
) -> None:
    with pytest.raises(AssertionError, match=says):
        toy.fill("/form", **fields)  # type: ignore[arg-type]


def test_a_search_form_is_sent_by_get(toy: Client) -> None:
    assert toy.fill("/form", _form="search", q="gamma").json == {"q": ["gamma"]}


def test_the_form_that_fits_is_chosen() -> None:
    forms = forms_of(html.parse(FORM))
    assert choose(forms, wanted=None, fields={"name": ""}, button=None).action == "/sent?x=1"
    assert choose(forms, wanted="search", fields={}, button=None).names == {"q"}
    assert isinstance(forms[0], Form)
    assert forms[0].choices("one") == ["", "a", "B"]


def test_an_invalid_page_fails_the_test(toy: Client) -> None:
    with pytest.raises(AssertionError, match="Unexpected end tag"):
        toy.get("/bad")
    toy.checked = False
    assert toy.get("/bad").status_code == 200


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ('<p id="a"></p><p id="a"></p>', "the id 'a' is used 2 times"),
        ("<p><div></p></div>", "Unexpected end tag"),
        ('<label for="x">L</label>', "names no element"),
        ('<p aria-describedby="x y">', "names no element"),
        ('<a href="#x">up</a>', "leads nowhere"),
        ('<img src="/a.png">', "has no alt"),
        ('<p style="color:red">', "styled inline"),
        ("<script>alert(1)</script>", "a script is inline"),
        ('<p onclick="x()">', "runs a script inline"),
        ("<p>a & b &nope; <b", "line 1"),
    ],
)
def test_each_flaw_of_a_page_is_found(body: str, finding: str) -> None:
    found = html.findings(PAGE.format(body))
    assert any(finding in one for one in found), found


def test_a_page_says_its_title_and_language() -> None:
    assert html.findings("<!doctype html><html><head><title> </title></head><body></body></html>") == (
        "it has no title",
        "it does not say its language",
    )
    assert html.findings(PAGE.format("<p>Good.</p>")) == ()


@pytest.mark.parametrize(
    "name", ["X-Content-Type-Options", "Cache-Control", "Content-Security-Policy", "Referrer-Policy"]
)
def test_each_missing_header_fails_the_test(toy: Client, name: str) -> None:
    response = toy.get("/form")
    del response.headers[name]
    with pytest.raises(AssertionError, match=name):
        html.check(response)


def test_a_weak_policy_fails_the_test(toy: Client) -> None:
    response = toy.get("/form")
    response.headers["Content-Security-Policy"] = "script-src 'unsafe-inline'"
    with pytest.raises(AssertionError, match="unsafe"):
        html.check(response)


# -- the mail server -------------------------------------------------------------------------------------------


def send(server: Smtp, patience: float = 30) -> None:
    """Send one mail as a client that checks certificates and waits ``patience`` seconds for each answer."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@collab.example", "b@partner.example", "Größe 规模"
    message["Message-ID"] = "<1@collab.example>"
    message.set_content("Open http://127.0.0.1:8000/en/confirm/abc. Thank you.\n")
    trust = ssl.create_default_context(cafile=server.ca_file) if server.ca_file else None
    if server.tls == "implicit":
        connection: smtplib.SMTP = smtplib.SMTP_SSL("127.0.0.1", server.port, context=trust, timeout=patience)
    else:
        connection = smtplib.SMTP("127.0.0.1", server.port, timeout=patience)
    try:
        if server.tls == "starttls":
            connection.starttls(context=trust)
        if server.login:
            connection.login(*server.login)
        connection.send_message(message)
    finally:
        connection.close()


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
def test_a_mail_arrives_whole(smtp_server: Callable[..., Smtp], tls: str) -> None:
    server = smtp_server(tls=tls, login=("portal", "secret"))
    send(server)
    (mail,) = server.wait(1)
    assert (mail.to, mail.subject, mail.message_id) == (
        "b@partner.example",
        "Größe 规模",
        "<1@collab.example>",
    )
    assert mail.link("/confirm/") == "http://127.0.0.1:8000/en/confirm/abc"
    assert mail.encrypted is (tls != "none")


def test_starttls_is_required_where_it_is_offered(smtp_server: Callable[..., Smtp]) -> None:
    server = smtp_server(tls="starttls")
    server.tls = "none"  # the client below does not start TLS
    with pytest.raises(smtplib.SMTPResponseException, match="STARTTLS"):
        send(server)
    assert server.mails == []


@pytest.mark.parametrize(
    ("faults", "error", "kept"),
    [
        ({"sender": "451 4.3.0 Later"}, smtplib.SMTPSenderRefused, 0),
        ({"recipient": "550 5.1.1 Unknown"}, smtplib.SMTPRecipientsRefused, 0),
        ({"recipients": {"b@partner.example": "450 4.2.0 Busy"}}, smtplib.SMTPRecipientsRefused, 0),
        ({"data": "554 5.7.1 No"}, smtplib.SMTPDataError, 0),
        ({"greylist": 1}, smtplib.SMTPRecipientsRefused, 0),
        ({"drop_at_data": True}, smtplib.SMTPServerDisconnected, 0),
        ({"drop_after_data": True}, smtplib.SMTPServerDisconnected, 1),
    ],
)
def test_the_mail_server_fails_as_told(
    smtp_server: Callable[..., Smtp], faults: dict[str, Any], error: type[Exception], kept: int
) -> None:
    server = smtp_server()
    server.faults = Faults(**faults)
    with pytest.raises(error):
        send(server)
    assert len(server.mails) == kept


def test_a_client_that_does_not_wait_for_a_slow_server_hears_nothing(
    smtp_server: Callable[..., Smtp],
) -> None:
    server = smtp_server()
    server.faults = Faults(delay=60.0)
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        send(server, patience=1)
    server.wait(1)


def test_the_mail_server_comes_back_on_its_port(smtp_server: Callable[..., Smtp]) -> None:
    server = smtp_server()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        send(server)
    server.start()
    send(server)
    assert len(server.mails) == 1


def test_waiting_for_a_mail_that_does_not_come_fails(
    smtp_server: Callable[..., Smtp], tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="0 instead of 1 mails"):
        smtp_server().wait(1, seconds=0.1)

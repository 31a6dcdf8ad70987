"""What is typed, forged, repeated and sent at once (A07, A23, A29, A31, A33, A51, A54, A56, A57, A65, F12)."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import Element

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from collab import files, mail
from collab.core import clock
from collab.core.db import db
from collab.departments import Department
from collab.files import StoredFile
from collab.inquiries import Inquiry, Status
from collab.inquiries.models import Message
from tests.support.client import Client
from tests.support.forms import forms_of
from tests.support.html import parse, text_of
from tests.web.partner.sample import COOPERATION, VISIT, address, again, links, number_of, pdf, received, sent

Browser = Callable[[], Client]

HOSTILE = [
    '"><script>alert(1)</script>',
    "'\"><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{7*7}}{% include 'x' %}${7*7}",
    "{0.__class__} %(lang)s %s %n",
    "'; DROP TABLE inquiry; --",
    '=HYPERLINK("http://example.com","x")',
    "&lt;b&gt;&amp;&#x3c;script&#x3e;",
    "]]><!-- --!> <!DOCTYPE",
]


@pytest.fixture(autouse=True)
def _midmorning() -> Iterator[None]:
    """Far from the end of an hour and of a day, at which counted limits begin anew."""
    with time_machine.travel(datetime(2026, 11, 23, 9, 5, tzinfo=UTC), tick=True):
        yield


def inert(page: Element) -> None:
    """Fail on anything that typed text could have brought to life."""
    for element in page.iter():
        assert not [name for name in element.attrib if str(name).startswith("on")], element.tag
        for name in ("href", "src", "action", "formaction"):
            value = element.get(name, "")
            assert not value.lower().strip().startswith(("javascript:", "data:text", "vbscript:")), value
    assert [one.get("src") for one in page.iter("script") if one.get("type") != "module"] == []
    assert not [one for one in page.iter("img") if one.get("src") == "x"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(client: Client, department: Department, text: str) -> None:
    fields = {
        **COOPERATION,
        "full_name": text,
        "institution_name": text,
        "title": f"Title {text}",
        "summary": f"{text}\n" * 5,
    }
    refused = client.fill(address("cooperation"), **{**fields, "country": None}, _forged={"country": text})
    assert refused.status_code == 422
    inert(parse(refused.text))
    (form,) = [one for one in forms_of(parse(refused.text)) if one.multipart]
    assert form.value("full_name") == text
    switched = client.fill(address("cooperation"), **fields, _button="switch_lang")
    inert(parse(switched.text))
    stopped = client.fill(
        address("visit"), **{**VISIT, "full_name": text, "purpose": text * 9, "adult_declaration": False}
    )
    inert(parse(stopped.text))
    inquiry = received(
        client, full_name=text, institution_name=text, title=f"Title {text}", summary=f"{text}\n" * 5
    )
    client.fill(f"/en/my/{inquiry.reference}", _form="answer", body=text)
    page = parse(client.get(f"/en/my/{inquiry.reference}").text)
    inert(page)
    shown = text_of(page)
    assert shown.count(" ".join(text.split())) >= 4
    assert "49" not in shown.replace(text, "") or "7*7" not in text
    for one in mail.of(("inquiry", inquiry.id)):
        if one.reader == "partner" and one.topic in {"M1", "M2"}:
            assert text not in one.subject + one.body_text + (one.body_html or "")


def test_unknown_fields_change_nothing(client: Client, department: Department) -> None:
    forged = {
        "status": "accepted",
        "is_staff": "1",
        "confirmed_at": "2026-01-01",
        "reference": "NM-2026-0999",
        "coordinator_id": "1",
        "urgency": "2",
        "is_demo": "1",
        "department_id": "99",
        "email_verified": "true",
        "locale": "xx",
        "track": "visit",
        "id": "77",
        "answers": "{}",
        "orcid": "0000-0002-1825-0097",
    }
    answer = client.fill(address("cooperation"), **COOPERATION, _forged=forged)
    assert answer.status_code == 303
    inquiry = again(1)
    assert (inquiry.status, inquiry.urgency, inquiry.is_demo, inquiry.coordinator_id, inquiry.locale) == (
        Status.UNCONFIRMED,
        0,
        False,
        None,
        "en",
    )
    assert inquiry.department_id == department.id
    assert inquiry.reference.endswith("-0001")
    assert inquiry.answers.keys() == COOPERATION.keys() - {
        "full_name", "email", "institution_name", "country", "area", "privacy_ack"
    }  # fmt: skip


@pytest.mark.parametrize(
    "email",
    [
        "a@example.org,b@example.org",
        "a@example.org%0Ab@example.org",
        "a@example.org\u2028b@example.org",
        '"a b"@example.org',
        "Bank <a@example.org>",
        "a(comment)@example.org",
        "a@example.org>",
        "@example.org:a@example.org",
        "=?utf-8?q?a=40example.org=0ABcc=3Ab=40example.org?=",
        "a@[IPv6:::1]",
        "a@-example.org",
        "a" * 65 + "@example.org",
        "a@" + "b" * 64 + ".org",
        "ａ@ｅxample.org\u202e",
    ],
)
@pytest.mark.one_database
def test_one_address_or_none(client: Client, department: Department, email: str) -> None:
    for button in (None, "save"):
        answer = client.fill(address("cooperation"), **{**COOPERATION, "email": email}, _button=button)
        assert answer.status_code == 422
    assert client.fill("/en/link", reference="NM-2026-0001", email=email).status_code == 422
    assert number_of(mail.OutboxMail) == 0


def test_files_never_come_back_as_pages(client: Client, department: Department) -> None:
    inquiry = received(client)
    dangerous = {
        "a.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "a.html": b"<script>alert(1)</script>",
        "a.xml": b"<?xml version='1.0'?><x/>",
        "a.mht": b"MIME-Version: 1.0",
        "a.pdf": b"<html>%PDF-1.4 %%EOF",
        "a.html.pdf": pdf(),
        "../../etc/passwd": b"root",
        "a.png": b"GIF89a",
    }
    for name, content in dangerous.items():
        answer = client.fill(
            f"/en/my/{inquiry.reference}", _form="answer", body="x y", _files={"attachment": (name, content)}
        )
        assert answer.status_code == 422, name
    assert number_of(Message) == 0


@pytest.mark.settings(submissions_per_network=20)
def test_uploads_are_bounded(client: Client, department: Department) -> None:
    inquiry = received(client)
    many = {"attachment": [(f"{n}.pdf", pdf()) for n in range(5)]}
    answer = client.fill(f"/en/my/{inquiry.reference}", _form="answer", body="Five files", _files=many)
    assert answer.status_code == 303
    (message,) = db.session.scalars(sa.select(Message))
    assert [one.filename for one in files.of("message", message.id)] == ["2.pdf", "3.pdf", "4.pdf"]
    codes = []
    for _ in range(9):
        refused = client.fill(
            address("cooperation"),
            **{**COOPERATION, "title": "x"},
            _files={"attachment": [(f"{n}.pdf", pdf()) for n in range(5)]},
        )
        codes.append(refused.status_code)
    assert codes == [422] * 7 + [429] * 2
    kept = [one for one in db.session.scalars(sa.select(StoredFile)) if one.state is files.FileState.PENDING]
    assert len(kept) <= 8


# -- A56 ---------------------------------------------------------------------------------------------------------


def test_without_our_token_nothing_is_done(
    client: Client, browser_like: Browser, department: Department
) -> None:
    inquiry = received(client)
    own = f"/en/my/{inquiry.reference}"
    foreign = browser_like().form(address("visit"), form="inquiry").value("csrf_token")
    targets = [f"{own}/{rest}" for rest in ("answer", "withdraw", "resume", "interested", "erase", "close")]
    targets += [
        address("cooperation"),
        "/en/link",
        links(inquiry.id, "confirm")[0],
        links(inquiry.id, "i")[0],
    ]
    before = (number_of(Message), number_of(mail.OutboxMail), number_of(Inquiry))
    for target in targets:
        for data in ({}, {"csrf_token": ""}, {"csrf_token": "x"}, {"csrf_token": foreign}):
            assert client.post(target, data={**data, **COOPERATION, "body": "x"}).status_code == 400, target
        assert client.post(target, json={"body": "x"}).status_code == 400, target
        assert client.post(target, data="body=x", content_type="text/plain").status_code == 400, target
        overridden = client.get(
            target, headers={"X-HTTP-Method-Override": "POST"}, query_string={"_method": "POST"}
        )
        assert overridden.status_code in {200, 303, 405}, target
        assert client.put(target).status_code in {400, 405}
        assert client.delete(target).status_code in {400, 405}
    assert before == (number_of(Message), number_of(mail.OutboxMail), number_of(Inquiry))
    assert again(inquiry.id).status is Status.RECEIVED
    assert client.get(own).status_code == 200


# -- A57, F12 ----------------------------------------------------------------------------------------------------


def at_once(app: Flask, browsers: list[Client], do: Callable[[Client], Any]) -> list[Any]:
    """What several browsers get that act at the same moment."""
    results: list[Any] = []
    start = threading.Barrier(len(browsers))

    def run(browser: Client) -> None:
        start.wait()
        try:
            results.append(do(browser))
        except Exception as error:  # noqa: BLE001  # what a browser got is the result, whatever it was
            results.append(error)

    threads = [threading.Thread(target=run, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def copies(app: Flask, client: Client, number: int) -> list[Client]:
    """The same browser several times, with the same cookies."""
    found = []
    for _ in range(number):
        twin = app.test_client()
        assert isinstance(twin, Client)
        twin._cookies = dict(client._cookies or {})
        found.append(twin)
    return found


def test_twenty_posts_at_once_are_one_inquiry_and_one_mail(
    app: Flask, client: Client, department: Department
) -> None:
    with time_machine.travel(clock.now() - timedelta(seconds=10), tick=True):
        opened = client.get(address("cooperation"))
    (form,) = [one for one in forms_of(parse(opened.text)) if one.multipart]
    _action, data = form.answer(COOPERATION)
    db.session.rollback()

    def post(browser: Client) -> tuple[int, str | None]:
        answer = browser.post(
            address("cooperation"), data={**dict(data), "attachment": (BytesIO(pdf()), "note.pdf")}
        )
        return answer.status_code, answer.location or text_of(parse(answer.text))[-2000:]

    results = at_once(app, copies(app, client, 20), post)
    assert {one if isinstance(one, Exception) else one[0] for one in results} == {303}
    assert len(set(results)) == 1
    assert (number_of(Inquiry), number_of(mail.OutboxMail)) == (1, 1)
    assert len(files.of("inquiry", 1)) == 1


def test_confirming_and_withdrawing_at_once_happen_once(
    app: Flask, client: Client, department: Department
) -> None:
    inquiry = sent(client)
    (path,) = links(inquiry.id, "confirm")
    token = client.form(path).value("csrf_token")
    db.session.rollback()
    results = at_once(
        app, copies(app, client, 8), lambda one: one.post(path, data={"csrf_token": token}).status_code
    )
    assert results == [303] * 8
    assert [one.topic for one in mail.of(("inquiry", 1)) if one.reader == "partner"].count("M2") == 1
    client.fill(links(inquiry.id, "i")[-1])
    own = f"/en/my/{inquiry.reference}/withdraw"
    token = client.form(own).value("csrf_token")
    db.session.rollback()
    results = at_once(
        app, copies(app, client, 8), lambda one: one.post(own, data={"csrf_token": token}).status_code
    )
    assert results == [303] * 8
    assert [one.topic for one in mail.of(("inquiry", 1))].count("M13") == 1


# -- A65 ---------------------------------------------------------------------------------------------------------


@pytest.mark.settings(submissions_per_network=10)
@pytest.mark.one_database
def test_a_script_is_bounded(client: Client, department: Department) -> None:
    codes = []
    for number in range(15):
        fields = {**COOPERATION, "email": f"robot{number}@example.org"}
        codes.append(client.fill(address("cooperation"), **fields).status_code)
    assert codes == [303] * 10 + [429] * 5
    with time_machine.travel(clock.now(), tick=False):  # the test itself may be slow
        quick = [
            client.fill(address("visit"), **VISIT, _typing=timedelta(seconds=1)).status_code
            for _ in range(10)
        ]
    assert quick == [422] * 10
    assert number_of(Inquiry) == 10


def test_one_opened_form_cannot_be_used_again(client: Client, department: Department) -> None:
    with time_machine.travel(clock.now() - timedelta(seconds=10), tick=True):
        opened = client.get(address("cooperation"))
    for number in range(5):
        assert client.answer(opened, **{**COOPERATION, "title": f"Number {number}"}).status_code == 303
    fresh_key = client.answer(opened, **COOPERATION, _forged={"submission_key": "x" * 43})
    assert fresh_key.status_code == 422
    assert number_of(Inquiry) == 1

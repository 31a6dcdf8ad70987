"""Nothing typed is lost: refused, put aside, in the other language, stopped, or taken for a machine."""

import gc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from werkzeug.test import TestResponse

from collab import files, mail
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.files import FileState, StoredFile
from collab.inquiries import Draft, Inquiry, submission
from tests.support.client import Client
from tests.support.forms import Form, forms_of
from tests.support.html import parse, text_of
from tests.web.partner.sample import (
    COOPERATION,
    FORMS,
    VISIT,
    address,
    draft_link,
    links,
    number_of,
    pdf,
    sent,
)

FILE = ("My note.pdf", pdf())


def form_of(answer: TestResponse) -> Form:
    """The inquiry's form on a page."""
    (form,) = [one for one in forms_of(parse(answer.text)) if one.multipart]
    return form


def holds(answer: TestResponse, fields: dict[str, Any]) -> None:
    """Fail unless the page's form is filled in so."""
    form = form_of(answer)
    assert {name: form.value(name) for name in fields} == {
        name: "y" if value is True else value for name, value in fields.items()
    }


def pending() -> list[str]:
    """Names of the files that wait for their form."""
    query = sa.select(StoredFile.filename).where(StoredFile.state == FileState.PENDING)
    return list(db.session.scalars(query))


def test_a_refused_form_keeps_text_and_file(client: Client, department: Department) -> None:
    fields = {**COOPERATION, "title": "x"}
    refused = client.fill(address("cooperation"), **fields, _files={"attachment": FILE})
    assert refused.status_code == 422
    holds(refused, fields)
    assert FILE[0] in refused.text
    title = parse(refused.text).findtext("head/title") or ""
    assert title.startswith("Error:")
    sent = client.answer(refused, title="A better title")
    assert sent.status_code == 303
    assert [file.filename for file in files.of("inquiry", 1)] == [FILE[0]]
    assert db.session.get_one(Inquiry, 1).file_count == 1


def test_a_refused_file_leaves_the_text(client: Client, department: Department) -> None:
    for name, content in [
        ("note.pdf", b"no pdf"),
        ("note.exe", pdf()),
        ("note.pdf", b""),
        ("a.html", b"<script>"),
    ]:
        refused = client.fill(address("cooperation"), **COOPERATION, _files={"attachment": (name, content)})
        assert refused.status_code == 422, name
        holds(refused, COOPERATION)
        (error,) = [one for one in parse(refused.text).iter("p") if one.get("id") == "attachment-error"]
        assert text_of(error)
    assert number_of(Inquiry) == 0
    assert client.answer(refused).status_code == 303
    assert files.of("inquiry", 1) == []


# The test client leaves the temporary file open in which it builds a large request.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.settings(upload_megabytes=1)
def test_a_file_too_large_is_refused_at_its_field(client: Client, department: Department) -> None:
    large = pdf() + b"%" * (1024 * 1024)
    refused = client.fill(address("cooperation"), **COOPERATION, _files={"attachment": ("large.pdf", large)})
    assert refused.status_code == 422
    assert "larger than 1 MB" in refused.text
    holds(refused, COOPERATION)
    del refused
    gc.collect()


def test_a_kept_file_can_be_taken_off_or_replaced(client: Client, department: Department) -> None:
    fields = {**COOPERATION, "title": "x"}
    refused = client.fill(address("cooperation"), **fields, _files={"attachment": FILE})
    replaced = client.answer(refused, _files={"attachment": ("other.pdf", pdf(2))})
    assert pending() == ["other.pdf"]
    removed = client.answer(replaced, _button="remove_file")
    assert removed.status_code == 200
    holds(removed, fields)
    assert pending() == []
    assert client.answer(removed, title="A better title").status_code == 303
    assert files.of("inquiry", 1) == []


def test_the_language_switch_keeps_text_and_file(client: Client, department: Department) -> None:
    fields = {**COOPERATION, "title": "x", "privacy_ack": False}
    typed = {name: value for name, value in fields.items() if value is not False}
    switched = client.fill(
        address("cooperation"), **fields, _files={"attachment": FILE}, _button="switch_lang"
    )
    assert switched.status_code == 200
    assert parse(switched.text).get("lang") == "zh-Hans"
    holds(switched, typed)
    assert form_of(switched).value("privacy_ack") is None
    assert FILE[0] in switched.text
    assert "errors-title" not in switched.text
    sent = client.answer(switched, title="合作研究题目", privacy_ack=True)
    assert sent.status_code == 303
    assert sent.location.startswith("/zh/")
    assert db.session.get_one(Inquiry, 1).locale == "zh"
    assert [file.filename for file in files.of("inquiry", 1)] == [FILE[0]]


def test_enter_sends_and_does_not_switch_the_language(client: Client, department: Department) -> None:
    first = client.form(address("cooperation"), form="inquiry").buttons[0]
    assert (first.label, first.name, first.action) == ("Send", None, None)


# -- finishing later ---------------------------------------------------------------------------------------------


def test_a_draft_needs_the_email_alone_and_comes_back_as_it_was(
    client: Client, department: Department
) -> None:
    typed = {"email": "a@example.org", "title": "x", "duration_weeks": "many"}
    visit = {
        "email": "a@example.org",
        "duration_weeks": "many",
        "preferred_start": "soon",
        "purpose": "<b>short</b>",
    }
    for track, fields in (("cooperation", typed), ("visit", visit)):
        fields = {name: value for name, value in fields.items() if name in FORMS[track] or name == "email"}
        saved = client.fill(
            address(track), **fields, _files={"attachment": FILE}, _button="save", _follow=True
        )
        assert saved.status_code == 200
        assert "a…@example.org" in saved.text
        assert "a@example.org" not in saved.text
        opened = client.get(draft_link())
        assert opened.status_code == 200
        holds(opened, fields)
        assert FILE[0] in opened.text
    assert number_of(Inquiry) == 0


def test_a_draft_without_an_address_is_refused_and_kept_on_the_page(
    client: Client, department: Department
) -> None:
    refused = client.fill(address("visit"), full_name="A", purpose="short", _button="save")
    assert refused.status_code == 422
    holds(refused, {"full_name": "A", "purpose": "short"})
    assert number_of(Draft) == 0


def test_a_finished_draft_becomes_one_inquiry_and_is_gone(
    client: Client, browser_like: Any, department: Department
) -> None:
    client.fill(
        address("cooperation"),
        email="a@example.org",
        title="Half",
        _files={"attachment": FILE},
        _button="save",
    )
    link = draft_link()
    elsewhere = browser_like()
    sent = elsewhere.fill(link, **COOPERATION)
    assert sent.status_code == 303
    assert [file.filename for file in files.of("inquiry", 1)] == [FILE[0]]
    assert number_of(Draft) == 0
    assert elsewhere.get(link).status_code == 404


def test_saving_again_renews_the_link(client: Client, department: Department) -> None:
    client.fill(address("cooperation"), email="a@example.org", title="First", _button="save")
    first = draft_link()
    client.fill(first, title="Second", _button="save")
    assert number_of(Draft) == 1
    assert client.get(first).status_code == 404
    holds(client.get(draft_link()), {"title": "Second"})


def test_drafts_and_unconfirmed_inquiries_vanish_after_a_week(client: Client, department: Department) -> None:
    client.fill(address("cooperation"), email="a@example.org", _files={"attachment": FILE}, _button="save")
    sent(client, "visit")
    link = draft_link()
    with time_machine.travel(clock.now() + timedelta(days=6, hours=23), tick=True):
        with unit_of_work():
            submission.sweep()
        assert (number_of(Draft), number_of(Inquiry)) == (1, 1)
        assert client.get(link).status_code == 200
    with time_machine.travel(clock.now() + timedelta(days=7, minutes=1), tick=True):
        assert client.get(link).status_code == 404
        with unit_of_work():
            submission.sweep()
        assert (number_of(Draft), number_of(Inquiry)) == (0, 0)
        assert pending() == []
        assert mail.of(("inquiry", 1)) == []


# -- under 18 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("track", ["visit", "training"])
def test_under_18_stops_kindly_and_keeps_nothing(client: Client, department: Department, track: str) -> None:
    fields = {**FORMS[track], "adult_declaration": False}
    stopped = client.fill(address(track), **fields, _files={"attachment": FILE})
    assert stopped.status_code == 422
    assert "This is open from the age of 18" in stopped.text
    assert (number_of(Inquiry), number_of(mail.OutboxMail), number_of(Draft), pending()) == (0, 0, 0, [])
    back = client.answer(stopped, _button="back")
    assert back.status_code == 200
    holds(back, {**fields, "adult_declaration": True})
    assert client.answer(back).status_code == 303
    assert number_of(Inquiry) == 1


@pytest.mark.parametrize("track", ["visit", "training"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_form_that_lacks_more_than_the_declaration_comes_back(
    client: Client, department: Department, track: str, lang: str
) -> None:
    """Whoever sends a form half filled in has overlooked the box like the rest: nobody is sent away for that."""
    empty = client.fill(address(track, lang))
    assert empty.status_code == 422
    assert client.get(address(track, lang)).text.count('class="err"') == 0
    message = {"en": "You must be 18 or older at the start.", "zh": "开始时您须年满 18 周岁。"}[lang]
    page = parse(empty.text)
    errors = {one.get("id"): text_of(one) for one in page.iter("p") if one.get("class") == "err"}
    assert message in errors["adult_declaration-error"]
    assert {"full_name-error", "privacy_ack-error"} <= set(errors)
    assert 'href="#adult_declaration"' in empty.text  # the summary leads there
    fields = {**FORMS[track], "adult_declaration": False, "full_name": ""}
    refused = client.fill(address(track, lang), **fields, _files={"attachment": FILE})
    assert refused.status_code == 422
    holds(refused, {name: value for name, value in fields.items() if name != "adult_declaration"})
    assert pending() == [FILE[0]]
    stopped = client.answer(refused, full_name="Erika Mustermann")
    assert stopped.status_code == 422
    assert 'name="back"' in stopped.text
    assert pending() == []
    assert (number_of(Inquiry), number_of(Draft), number_of(mail.OutboxMail)) == (0, 0, 0)


def test_a_file_kept_before_is_gone_with_the_stop(client: Client, department: Department) -> None:
    refused = client.fill(address("visit"), **{**VISIT, "purpose": "short"}, _files={"attachment": FILE})
    assert pending() == [FILE[0]]
    stopped = client.answer(refused, purpose=VISIT["purpose"], adult_declaration=False)
    assert stopped.status_code == 422
    assert pending() == []


# -- machines ----------------------------------------------------------------------------------------------------


def test_a_filled_trap_keeps_nothing_and_loses_nothing(client: Client, department: Department) -> None:
    refused = client.fill(
        address("cooperation"), **COOPERATION, website="https://spam.example", _files={"attachment": FILE}
    )
    assert refused.status_code == 422
    assert (number_of(Inquiry), number_of(mail.OutboxMail), pending()) == (0, 0, [])
    holds(refused, {**COOPERATION, "website": ""})
    assert client.answer(refused).status_code == 303


@pytest.mark.parametrize(("seconds", "status"), [(0.5, 422), (1.7, 422), (3.1, 303)])
def test_the_least_time(client: Client, department: Department, seconds: float, status: int) -> None:
    with time_machine.travel(clock.now(), tick=False):
        answer = client.fill(address("cooperation"), **COOPERATION, _typing=timedelta(seconds=seconds))
    assert answer.status_code == status
    assert number_of(Inquiry) == (status == 303)
    if status == 422:
        holds(answer, COOPERATION)


@pytest.mark.parametrize(
    "forged", [{"began": ""}, {"began": "x.y"}, {"submission_key": "mine"}, {"claim_token": "mine"}]
)
def test_a_form_without_our_seal_comes_back_with_a_fresh_one(
    client: Client, department: Department, forged: dict[str, str]
) -> None:
    refused = client.fill(address("cooperation"), **COOPERATION, _forged=forged)
    assert refused.status_code == 422
    assert number_of(Inquiry) == 0
    holds(refused, COOPERATION)
    with time_machine.travel(clock.now() + timedelta(seconds=5), tick=True):
        assert client.answer(refused).status_code == 303


def test_a_form_open_overnight_is_sent_with_one_more_press(client: Client, department: Department) -> None:
    with time_machine.travel(datetime(2026, 11, 23, 20, tzinfo=UTC), tick=True):
        opened = client.get(address("cooperation"))
    with time_machine.travel(datetime(2026, 11, 24, 9, 0, tzinfo=UTC), tick=True):
        old = client.answer(opened, **COOPERATION)
        assert old.status_code == 400
        holds(old, COOPERATION)
    with time_machine.travel(datetime(2026, 11, 24, 9, 1, tzinfo=UTC), tick=True):
        assert client.answer(old).status_code == 303


# -- once --------------------------------------------------------------------------------------------------------


def test_sent_twice_it_is_kept_once(client: Client, department: Department) -> None:
    with time_machine.travel(clock.now() - timedelta(seconds=10), tick=True):
        opened = client.get(address("cooperation"))
    first = client.answer(opened, **COOPERATION, _files={"attachment": FILE})
    second = client.answer(opened, **COOPERATION, _files={"attachment": FILE})
    changed = client.answer(opened, **{**COOPERATION, "title": "Another title"})
    with time_machine.travel(clock.now() + timedelta(hours=1), tick=True):
        later = client.answer(opened, **COOPERATION)
    assert [one.status_code for one in (first, second, changed, later)] == [303] * 4
    assert len({one.location for one in (first, second, changed, later)}) == 1
    assert (number_of(Inquiry), number_of(mail.OutboxMail)) == (1, 1)
    assert len(files.of("inquiry", 1)) == 1


# -- limits ------------------------------------------------------------------------------------------------------


@pytest.mark.settings(submissions_per_address=2)
def test_over_the_limit_the_page_keeps_everything(client: Client, department: Department) -> None:
    for number in range(2):
        assert (
            client.fill(address("cooperation"), **{**COOPERATION, "title": f"Number {number}"}).status_code
            == 303
        )
    refused = client.fill(address("cooperation"), **COOPERATION, _files={"attachment": FILE})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    holds(refused, COOPERATION)
    assert FILE[0] in refused.text
    assert number_of(Inquiry) == 2
    assert pending() == [FILE[0]]
    with time_machine.travel(clock.now() + timedelta(days=1, hours=1), tick=True):
        fresh = client.fill(address("cooperation"), **COOPERATION)
        assert fresh.status_code == 303


# -- after sending -----------------------------------------------------------------------------------------------


def test_a_mistyped_address_is_put_right(client: Client, department: Department) -> None:
    answer = client.fill(address("cooperation"), **{**COOPERATION, "email": "wrong@example.org"})
    page = client.get(answer.location)
    assert "wrong@example.org" in page.text
    assert client.answer(page, email="nobody").status_code == 422
    corrected = client.answer(page, email="right@example.org", _follow=True)
    assert "right@example.org" in corrected.text
    mails = mail.of(("inquiry", 1))
    assert [(one.to_address, one.state) for one in sorted(mails, key=lambda one: one.id)] == [
        ("wrong@example.org", mail.MailState.CANCELLED),
        ("right@example.org", mail.MailState.QUEUED),
    ]
    first, second = sorted(mails, key=lambda one: one.id)
    old, new = (
        next(path for path in links(1, "confirm") if path in one.body_text) for one in (first, second)
    )
    assert client.fill(old).status_code == 404
    assert client.fill(new).status_code == 303
    assert "Your inquiry is with us" in client.get(answer.location).text
    late = client.answer(page, email="other@example.org")
    assert late.status_code == 303
    assert db.session.get_one(Inquiry, 1).email == "right@example.org"


def test_the_page_after_sending_shows_the_address_for_an_hour(client: Client, department: Department) -> None:
    answer = client.fill(address("cooperation"), **COOPERATION)
    assert COOPERATION["email"] in client.get(answer.location).text
    with time_machine.travel(clock.now() + timedelta(hours=2), tick=True):
        later = client.get(answer.location).text
    assert COOPERATION["email"] not in later
    assert "e…@example.org" in later
    assert client.get(answer.location[:-1] + "x").status_code == 404
    assert client.get("/en/sent/1").status_code == 404

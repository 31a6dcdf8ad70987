"""Secrets in links, and what strangers try with them (A01, A02, A12–A15, A17–A19, A22, A39)."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from collab import files, mail
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.inquiries import Draft, Inquiry, InquiryEvent, Status
from collab.inquiries.models import Link, Message, PartnerSession
from tests.support.client import Client
from tests.support.html import parse, text_of
from tests.web.partner.sample import (
    COOPERATION,
    address,
    again,
    draft_link,
    links,
    number_of,
    pdf,
    received,
    sent,
)

Browser = Callable[[], Client]
HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def _midmorning() -> Iterator[None]:
    """Far from the end of an hour and of a day, at which counted limits begin anew."""
    with time_machine.travel(datetime(2026, 11, 23, 9, 5, tzinfo=UTC), tick=True):
        yield


def state() -> list[object]:
    """Everything that a request could have changed about inquiries."""
    db.session.rollback()
    tables = (Inquiry, InquiryEvent, Message, Link, PartnerSession, Draft, mail.OutboxMail, files.StoredFile)
    return [
        [
            tuple(row)
            for row in db.session.execute(sa.select(one.__table__).order_by(*one.__table__.primary_key))
        ]
        for one in tables
    ]


# -- A01: another's things ---------------------------------------------------------------------------------------


def test_another_ones_page_and_files_are_as_if_there_were_none(
    client: Client, browser_like: Browser, department: Department
) -> None:
    mine = received(client)
    other = browser_like()
    theirs = received(other)
    other.fill(
        f"/en/my/{theirs.reference}", _form="answer", body="Theirs", _files={"attachment": ("a.pdf", pdf())}
    )
    file = db.session.scalars(sa.select(files.StoredFile)).one()
    assert other.get(f"/en/my/{theirs.reference}/files/{file.id}").status_code == 200
    for browser in (client, browser_like()):
        for reference in (theirs.reference, "NM-2026-9999", "x"):
            answers = [
                browser.get(f"/en/my/{reference}{rest}")
                for rest in ("", "/withdraw", "/erase", "/data.json", f"/files/{file.id}", "/answer")
            ]
            assert {one.status_code for one in answers} == {404}
            assert {one.headers["Cache-Control"] for one in answers} == {"private, no-store"}
            assert "Theirs" not in "".join(one.text for one in answers)
    unknown = client.get(f"/en/my/{mine.reference}/files/{file.id + 1000}")
    stranger = client.get(f"/en/my/{mine.reference}/files/{file.id}")
    assert (stranger.status_code, unknown.status_code) == (404, 404)
    ids = re.compile(r"[0-9a-f]{16}")
    assert ids.sub("", stranger.text).replace(str(file.id + 1000), "") == ids.sub("", unknown.text).replace(
        str(file.id + 1000), ""
    )


def test_the_answer_is_the_same_for_a_strangers_page_and_none(
    client: Client, browser_like: Browser, department: Department
) -> None:
    theirs = received(client)
    stranger = browser_like()
    bodies = []
    for reference in (theirs.reference, "NM-2026-9999"):
        text = stranger.get(f"/en/my/{reference}").text
        bodies.append(re.sub(r'value="[^"]+"', "", text.replace(reference, "")))
    assert bodies[0] == bodies[1]


def test_a_cookie_opens_its_own_inquiry_only(
    client: Client, browser_like: Browser, department: Department
) -> None:
    mine = received(client)
    theirs = received(browser_like())
    secret = client.get_cookie(f"my-{mine.reference}", domain=HOST)
    assert secret is not None
    client.set_cookie(f"my-{theirs.reference}", secret.value, domain=HOST)
    assert client.get(f"/en/my/{theirs.reference}").status_code == 404


def test_posting_to_anothers_page_changes_nothing(
    client: Client, browser_like: Browser, department: Department
) -> None:
    received(client)
    theirs = received(browser_like())
    token = client.form(address("cooperation"), form="inquiry").value("csrf_token")
    before = state()
    for action in ("answer", "withdraw", "resume", "interested", "erase"):
        answer = client.post(
            f"/en/my/{theirs.reference}/{action}", data={"csrf_token": token, "body": "Mine now"}
        )
        assert answer.status_code == 404, action
    assert state() == before


# -- A02: another's upload ---------------------------------------------------------------------------------------


def test_another_forms_upload_cannot_be_taken_along(
    client: Client, browser_like: Browser, department: Department
) -> None:
    theirs = browser_like().fill(
        address("cooperation"), **{**COOPERATION, "title": "x"}, _files={"attachment": ("theirs.pdf", pdf())}
    )
    claim = re.search(r'name="claim_token"[^>]* value="([^"]+)"', theirs.text)
    assert claim
    refused = client.fill(address("cooperation"), **COOPERATION, _forged={"claim_token": claim[1]})
    assert refused.status_code == 422
    file = db.session.scalars(sa.select(files.StoredFile)).one()
    removed = client.fill(address("cooperation"), **COOPERATION, _forged={"remove_file": str(file.id)})
    assert removed.status_code == 200
    mine = received(client)
    answer = client.fill(
        f"/en/my/{mine.reference}", _form="answer", body="Give it to me", _forged={"claim_token": claim[1]}
    )
    assert answer.status_code == 422
    (file,) = files.pending(claim[1])
    assert file.filename == "theirs.pdf"


# -- A12, A14, A17: tokens ---------------------------------------------------------------------------------------


def test_secrets_are_long_and_kept_as_digests(client: Client, department: Department) -> None:
    inquiry = received(client)
    secrets = {path.rpartition("/")[2] for part in ("confirm", "i") for path in links(inquiry.id, part)}
    cookie = client.get_cookie(f"my-{inquiry.reference}", domain=HOST)
    assert cookie is not None
    secrets.add(cookie.value)
    assert all(len(secret) >= 43 for secret in secrets)
    kept = {
        *db.session.scalars(sa.select(Link.digest)),
        *db.session.scalars(sa.select(PartnerSession.digest)),
    }
    assert not kept & secrets
    assert all(len(one) == 64 for one in kept)
    assert len(kept) == len(secrets)


def test_wrong_tokens_get_one_and_the_same_refusal(client: Client, department: Department) -> None:
    inquiry = received(client)
    client.fill(address("cooperation"), email="a@example.org", _button="save")
    good = links(inquiry.id, "i")[-1].rpartition("/")[2]
    wrong = [
        "0",
        "null",
        "None",
        "x" * 43,
        "x" * 5000,
        good.swapcase(),
        good + "=",
        good[:-1],
        " ",
        "%00",
        good[::-1],
        "🔑",
    ]
    for kind in ("confirm", "i"):
        bodies = set()
        for token in wrong:
            answer = client.fill(f"/en/{kind}/{token}")
            assert answer.status_code == 404, (kind, token)
            (main,) = parse(answer.text).iter("main")
            bodies.add(text_of(main))
        assert len(bodies) == 1
    assert {client.get(f"/en/draft/{token}").status_code for token in wrong} == {404}


def test_a_token_is_worth_nothing_for_another_purpose(
    client: Client, browser_like: Browser, department: Department
) -> None:
    inquiry = received(client)
    sent_page = client.fill(address("cooperation"), **COOPERATION).location.rpartition("/")[2]
    client.fill(address("cooperation"), email="a@example.org", _button="save")
    cookie = client.get_cookie(f"my-{inquiry.reference}", domain=HOST)
    assert cookie is not None
    tokens = {
        "confirm": links(inquiry.id, "confirm")[0].rpartition("/")[2],
        "i": links(inquiry.id, "i")[-1].rpartition("/")[2],
        "draft": draft_link().rpartition("/")[2],
        "sent": sent_page,
        "cookie": cookie.value,
    }
    stranger = browser_like()
    for kind, token in tokens.items():
        for purpose in {"confirm", "i", "draft", "sent", "received", "saved"} - {kind}:
            path = f"/en/{purpose}/{token}"
            answer = stranger.fill(path) if purpose in ("confirm", "i") else stranger.get(path)
            assert answer.status_code == 404, (kind, purpose)
        if kind != "cookie":
            stranger.set_cookie(f"my-{inquiry.reference}", token, domain=HOST)
            assert stranger.get(f"/en/my/{inquiry.reference}").status_code == 404
            stranger.delete_cookie(f"my-{inquiry.reference}", domain=HOST)
            flipped = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
            path = f"/en/{kind}/{flipped}"
            answer = stranger.fill(path) if kind in ("confirm", "i") else stranger.get(path)
            assert answer.status_code == 404, f"{kind} with a character flipped"


def test_old_links_open_nothing(client: Client, department: Department) -> None:
    inquiry = received(client)
    late = sent(client)
    with time_machine.travel(clock.now() + timedelta(days=8), tick=True):
        assert client.fill(links(late.id, "confirm")[0]).status_code == 404
    with time_machine.travel(clock.now() + timedelta(days=121), tick=True):
        assert client.fill(links(inquiry.id, "i")[-1]).status_code == 404


def test_an_erased_inquiry_opens_for_nobody(client: Client, department: Department) -> None:
    inquiry = received(client)
    with unit_of_work():
        again(inquiry.id).anonymised_at = clock.now()
    assert client.get(f"/en/my/{inquiry.reference}").status_code == 404
    assert client.fill(links(inquiry.id, "i")[-1]).status_code == 404


# -- A13, A22: the link form -------------------------------------------------------------------------------------


def test_the_link_form_answers_the_same_for_right_and_wrong_pairs(
    client: Client, browser_like: Browser, department: Department
) -> None:
    inquiry = received(client)
    before = number_of(mail.OutboxMail)
    pairs = [
        (inquiry.reference, "somebody@example.org"),
        ("NM-2026-9999", inquiry.email),
        ("' OR 1=1 --", inquiry.email),
        ("%", "%@example.org"),
    ]
    answers = []
    for reference, email in pairs:
        answer = browser_like().fill("/en/link", reference=reference, email=email)
        answers.append((answer.status_code, answer.location))
    assert number_of(mail.OutboxMail) == before
    right = browser_like().fill("/en/link", reference=inquiry.reference, email=inquiry.email)
    assert {*answers, (right.status_code, right.location)} == {(303, "/en/link/sent")}
    (newest,) = list(db.session.scalars(sa.select(mail.OutboxMail).filter_by(topic="link")))
    assert newest.to_address == inquiry.email


@pytest.mark.settings(submissions_per_address=5)
def test_one_address_gets_a_bounded_number_of_mails(client: Client, department: Department) -> None:
    spellings = ["victim@example.org", "Victim@Example.org", "victim+x@example.org", "v.ictim@example.org"]
    answers = [
        client.fill(
            address("cooperation"), **{**COOPERATION, "email": spellings[n % 4], "title": "BUY MY THINGS"}
        )
        for n in range(12)
    ]
    assert [one.status_code for one in answers] == [303] * 5 + [429] * 7
    inquiry = again(1)
    asked = [
        client.fill("/en/link", reference=inquiry.reference, email=inquiry.email).status_code
        for _ in range(6)
    ]
    assert asked == [303] * 3 + [429] * 3
    mails = list(db.session.scalars(sa.select(mail.OutboxMail)))
    assert len(mails) == 8
    for one in mails:
        for typed in ("BUY MY THINGS", COOPERATION["full_name"], COOPERATION["summary"]):
            assert typed not in one.subject + one.body_text + (one.body_html or "")


# -- A15: mail scanners ------------------------------------------------------------------------------------------


def test_scanners_change_nothing(client: Client, browser_like: Browser, department: Department) -> None:
    inquiry = sent(client)
    (confirm,) = links(inquiry.id, "confirm")
    before = state()
    for _ in range(5):
        scanner = browser_like()
        page = scanner.get(confirm)
        assert page.status_code == 200
        assert scanner.head(confirm).status_code == 200
        assert "http-equiv" not in page.text
    assert state() == before
    assert client.fill(confirm).status_code == 303
    assert again(inquiry.id).status is Status.RECEIVED
    private = links(inquiry.id, "i")[-1]
    client.fill(address("cooperation"), email="a@example.org", _button="save")
    draft = draft_link()
    before = state()
    for _ in range(5):
        scanner = browser_like()
        assert [scanner.get(path).status_code for path in (private, draft)] == [200, 200]
        assert [scanner.head(path).status_code for path in (private, draft)] == [200, 200]
    assert state() == before
    assert client.fill(private).status_code == 303
    before = state()
    own = f"/en/my/{inquiry.reference}"
    for rest in ("", "/withdraw", "/erase", "/data.json", "/answer"):
        client.get(own + rest)
        client.head(own + rest)
    assert state() == before


# -- A18: guessing -----------------------------------------------------------------------------------------------


def test_guessing_is_slowed_down_and_the_owner_is_not(client: Client, department: Department) -> None:
    inquiry = sent(client)
    answers = [
        client.fill(f"/en/{'i' if n % 2 else 'confirm'}/{'x' * 42}{n % 10}").status_code for n in range(34)
    ]
    assert answers == [404] * 30 + [429] * 4
    assert client.fill(links(inquiry.id, "confirm")[0]).status_code == 303


# -- A19, A39: what stays behind ---------------------------------------------------------------------------------


def test_the_token_is_gone_from_the_address_and_nothing_is_cached(
    client: Client, department: Department
) -> None:
    inquiry = received(client)
    token = links(inquiry.id, "i")[-1].rpartition("/")[2]
    opened = client.fill(links(inquiry.id, "i")[-1])
    assert opened.location == f"/en/my/{inquiry.reference}"
    page = client.get(opened.location)
    assert token not in page.text
    paths = [
        opened.location,
        links(inquiry.id, "i")[-1],
        links(inquiry.id, "confirm")[0],
        address("visit"),
        "/en/link",
    ]
    for path in paths:
        answer = client.get(path)
        assert answer.headers["Cache-Control"] == "private, no-store", path
        assert answer.headers["Referrer-Policy"] == "no-referrer", path
        assert "Cookie" in answer.headers["Vary"], path
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', answer.text), path


@pytest.mark.settings(base_url="https://collab.example.org", password_memory_kib=19456)
def test_the_cookie_is_bound_to_the_host_and_unseen_by_scripts(
    client: Client, department: Department
) -> None:
    inquiry = sent(client)
    mails = sorted(mail.of(("inquiry", inquiry.id)), key=lambda one: one.id)
    (confirm,) = set(re.findall(r"https://collab\.example\.org(/en/confirm/\S+)", mails[0].body_text))
    client.fill(confirm)
    newest = max(mail.of(("inquiry", inquiry.id)), key=lambda one: (one.topic == "M2", one.id))
    (private,) = set(re.findall(r"https://collab\.example\.org(/en/i/\S+)", newest.body_text))
    (cookie,) = [
        one for one in client.fill(private).headers.getlist("Set-Cookie") if f"my-{inquiry.reference}" in one
    ]
    assert cookie.startswith(f"__Host-my-{inquiry.reference}=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie


def test_the_log_shows_no_token(
    client: Client, department: Department, capfd: pytest.CaptureFixture[str]
) -> None:
    from collab.web.hooks import masked

    inquiry = received(client)
    for part in ("confirm", "i"):
        path = links(inquiry.id, part)[-1]
        assert path.rpartition("/")[2] not in masked(path)

"""The outbox: who reads it, filters, trying again, cancelling, links that can be followed without a mail server."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from collab import mail
from collab.core.db import db, unit_of_work
from collab.inquiries import Inquiry
from collab.mail import MailState, OutboxMail
from collab.web.staff.mail_kinds import KINDS
from tests.support import html, people
from tests.support.people import Staff
from tests.support.world import World, other_department


def state_of(id: int) -> MailState:
    return db.session.get_one(OutboxMail, id).state


def put(id: int, state: MailState) -> None:
    with unit_of_work():
        one = db.session.get_one(OutboxMail, id)
        one.state = state
        one.last_error = "550 no such mailbox" if state is MailState.FAILED else None


def newest(world: World, id: int) -> int:
    return world.mails(id, "partner")[-1].id


def test_without_a_mail_server_the_links_can_be_followed(world: World, coordinator: Staff) -> None:
    id = world.submit()
    page = coordinator.page(f"/staff/outbox/{newest(world, id)}")
    (link,) = {one.get("href") or "" for one in page.iter("a") if "/en/confirm/" in (one.get("href") or "")}
    answer = coordinator.fill(link, _follow=True)
    assert answer.status_code == 200
    assert world.get(id).status == "received"
    banner = html.text_of(page)
    assert "No mail server is set: mails stay in the outbox" in banner


@pytest.mark.settings(smtp_url="smtp://127.0.0.1:1")
def test_with_a_mail_server_the_links_are_struck_out(world: World, coordinator: Staff) -> None:
    id = world.submit()
    text = coordinator.get(f"/staff/outbox/{newest(world, id)}").text
    assert world.secret(id, "M1") not in text
    assert "The private links are left out here" in text
    assert "No mail server is set" not in text


def test_every_kind_of_mail_has_its_words(world: World, coordinator: Staff) -> None:
    id = world.received()
    codes = {one.topic for one in world.mails(id, "partner")} | {
        one.topic for one in world.mails(id, "staff")
    }
    assert codes == {"M1", "M2", "S1"}
    page = coordinator.page("/staff/outbox")
    kinds = [
        html.text_of(option)
        for option in next(one for one in page.iter("select") if one.get("id") == "o-topic").iter("option")
    ]
    assert kinds == [
        "Any",
        "Please confirm your e-mail (M1)",
        "Inquiry received (M2)",
        "Something waits for a member of staff (S1)",
    ]
    shown = {html.text_of(one) for one in page.iter("span") if one.get("class") == "sub"}
    assert {"Please confirm your e-mail · M1", "Inquiry received · M2"} <= shown
    page = coordinator.page(f"/staff/outbox/{newest(world, id)}")
    assert "KindInquiry received (M2)" in html.text_of(page)


def test_no_kind_of_mail_is_without_words() -> None:
    """Whatever the sources enqueue is in the table."""
    sources = "".join(path.read_text() for path in Path("collab").rglob("notices.py"))
    used = set(re.findall(r'"(M\d+[bd]?|S\d)"', sources)) | {f"M3r{number}" for number in (1, 2, 3)}
    used |= {f"{topic}r{number}" for topic in re.findall(r'f"(M\d+)r\{number', sources) for number in (1, 2)}
    used |= set(
        re.findall(r'(?:_to_partner\(inquiry, |_write\(\s*user, |mail\.enqueue\(\s*)"(\w+)"', sources)
    )
    assert len(used) >= 29
    assert sorted(used - set(KINDS)) == []


def test_filters(world: World, coordinator: Staff) -> None:
    world.received(email="first@example.org")
    world.received(email="second@example.org")
    for query, number in (
        ("", 4), ("?topic=M1", 2), ("?q=second", 2), ("?q=second&topic=M2", 1),
        ("?state=queued", 4), ("?state=sent", 0),
    ):  # fmt: skip
        page = coordinator.page(f"/staff/outbox{query}")
        rows = [row for row in page.iter("tr") if any(cell.tag == "td" for cell in row)]
        ours = [row for row in rows if "example.org" in html.text_of(row)]
        assert len(ours) == number, query
    for query in ("?state=lost", "?topic=a b", "?after=xx", "?q=%00"):
        assert coordinator.get(f"/staff/outbox{query}").status_code == 400, query


def test_paging(world: World, coordinator: Staff) -> None:
    for _one in range(17):
        world.received()
    first = coordinator.page("/staff/outbox")
    older = next(one.get("href") or "" for one in first.iter("a") if one.get("rel") == "next")
    second = coordinator.page(older)
    assert any(one.get("rel") == "prev" for one in second.iter("a"))
    names = [
        {one.get("href") for one in page.iter("a") if one.get("class") == "t"} for page in (first, second)
    ]
    assert len(names[0]) == 30
    assert not names[0] & names[1]


def test_try_again_and_cancel(world: World, coordinator: Staff) -> None:
    mail_id = newest(world, world.received())
    put(mail_id, MailState.FAILED)
    assert "550 no such mailbox" in coordinator.get(f"/staff/outbox/{mail_id}").text
    assert coordinator.fill(f"/staff/outbox/{mail_id}", _form="/retry").status_code == 303
    assert state_of(mail_id) is MailState.QUEUED
    assert coordinator.fill(f"/staff/outbox/{mail_id}", _form="/cancel").status_code == 303
    assert state_of(mail_id) is MailState.CANCELLED
    put(mail_id, MailState.FAILED)
    opened = coordinator.get(f"/staff/outbox/{mail_id}")
    with unit_of_work():
        one = db.session.get_one(OutboxMail, mail_id)
        one.state, one.sent_at = MailState.SENT, one.created_at
    for form in ("/retry", "/cancel"):
        answer = coordinator.answer(opened, _form=form, _follow=True)
        assert "cannot be" in html.text_of(html.parse(answer.text))
    assert state_of(mail_id) is MailState.SENT


def test_a_held_letter_is_not_cancelled_here(world: World, coordinator: Staff) -> None:
    id = world.at("decision_ready")
    world.decide(id, "accept")
    (held,) = [one for one in world.mails(id) if one.state is MailState.HELD]
    page = coordinator.get(f"/staff/outbox/{held.id}")
    assert "/cancel" not in page.text
    token = coordinator.form("/staff/account", form="myself").value("csrf_token")
    answer = coordinator.post(
        f"/staff/outbox/{held.id}/cancel", data={"csrf_token": token}, follow_redirects=True
    )
    assert "Take the step back" in html.text_of(html.parse(answer.text))
    assert state_of(held.id) is MailState.HELD


def test_who_may(world: World, staff: Callable[..., Staff], app: object, tmp_path: Path) -> None:
    mail_id = newest(world, world.received())
    head, host, admin = staff("head"), staff("host"), staff("admin")
    assert head.get(f"/staff/outbox/{mail_id}").status_code == 200
    assert "/cancel" not in head.get(f"/staff/outbox/{mail_id}").text
    assert "/cancel" in admin.get(f"/staff/outbox/{mail_id}").text
    token = head.form("/staff/account", form="myself").value("csrf_token")
    assert head.post(f"/staff/outbox/{mail_id}/cancel", data={"csrf_token": token}).status_code == 403
    assert host.get("/staff/outbox").status_code == 403
    assert host.get(f"/staff/outbox/{mail_id}").status_code == 403
    stranger = people.staff(app, other_department(tmp_path / "another"), "coordinator")  # type: ignore[arg-type]
    assert stranger.get(f"/staff/outbox/{mail_id}").status_code == 404
    token = stranger.form("/staff/account", form="myself").value("csrf_token")
    for verb in ("cancel", "retry"):
        assert stranger.post(f"/staff/outbox/{mail_id}/{verb}", data={"csrf_token": token}).status_code == 404
    assert state_of(mail_id) is MailState.QUEUED
    assert f"/staff/outbox/{mail_id}" not in stranger.get("/staff/outbox").text


def test_the_inquiry_shows_its_mails(
    world: World, at: Callable[..., str], staff: Callable[..., Staff]
) -> None:
    address = at("received")
    id = db.session.query(Inquiry.id).scalar()
    page = staff("coordinator").page(address)
    links = {one.get("href") for one in page.iter("a")}
    assert {f"/staff/outbox/{one.id}" for one in mail.of(("inquiry", id))} <= links

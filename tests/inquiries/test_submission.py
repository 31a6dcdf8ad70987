"""From the form to the queue: one inquiry per key, references without gaps, limits, drafts, the sweep."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from collab import files, inquiries, mail, search
from collab.accounts import Actor
from collab.core import clock, tokens
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, NotFound, TooMany
from collab.departments.tracks import Track
from collab.inquiries import Draft, Inquiry, Status, links, submission
from collab.inquiries.models import Link, LinkKind, ReferenceCounter
from collab.mail import OutboxMail
from tests.support.partners import pdf
from tests.support.world import MONDAY, World, other_department

# Its statements are our own, or many act at once: tried on both.
pytestmark = pytest.mark.both_databases


def upload(world: World, token: str) -> None:
    with unit_of_work():
        files.receive(
            BytesIO(pdf()),
            "cv.pdf",
            department_id=world.department_id,
            purpose="inquiry",
            claim_token=token,
            max_bytes=100_000,
        )


def number(model: Any) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_the_same_form_sent_again_gives_the_same_inquiry(world: World) -> None:
    first = world.submit(key="one-key-of-one-form")
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        assert world.submit(key="one-key-of-one-form", full_name="Somebody Else") == first
    assert world.topics(first) == ["M1"]
    assert world.get(first).full_name == "Erika Mustermann"
    assert world.counts() == {"unconfirmed": 1}
    assert number(Inquiry) == 1


def test_references_run_without_a_gap_in_each_department_and_year(world: World, tmp_path: Path) -> None:
    elsewhere = other_department(tmp_path / "another")
    other = World(elsewhere)
    code = world.department.code
    with time_machine.travel("2026-12-31T12:00+08:00", tick=False):
        ids = [world.submit() for _ in range(3)]
        with pytest.raises(ZeroDivisionError), unit_of_work():
            broken(world)  # its number is given back with the transaction
        ids.append(world.submit())
        strangers = [other.submit(area=elsewhere.settings.areas[0].code) for _ in range(2)]
    with time_machine.travel("2027-01-01T12:00+08:00", tick=False):
        ids.append(world.submit())
    assert [world.get(id).reference for id in ids] == [
        f"{code}-2026-0001",
        f"{code}-2026-0002",
        f"{code}-2026-0003",
        f"{code}-2026-0004",
        f"{code}-2027-0001",
    ]
    assert [world.get(id).reference for id in strangers] == ["OTHER-2026-0001", "OTHER-2026-0002"]


def broken(world: World) -> None:
    inquiries.submit(world.submission(), by=world.visitor)
    raise ZeroDivisionError


def test_ten_thousand_in_a_year_still_have_references(world: World) -> None:
    with unit_of_work():
        db.session.add(ReferenceCounter(department_id=world.department_id, year=clock.now().year, last=9999))
    assert world.get(world.submit()).reference.endswith("-10000")


@pytest.mark.settings(submissions_per_address=3)
def test_one_address_sends_a_few_a_day_however_it_is_written(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        for address in ("mary.smith@example.org", "Mary.Smith+a@Example.org", "marysmith+b@example.org"):
            world.submit(email=address)
        before = world.stored()
        with pytest.raises(TooMany) as refused:
            world.submit(email="m.a.r.y.s.m.i.t.h@EXAMPLE.ORG")
        assert 0 < refused.value.retry_after <= 86400
        assert world.stored() == before
        assert number(ReferenceCounter) == 1
        world.submit(email="somebody.else@example.org")
    with time_machine.travel(MONDAY + timedelta(days=1, hours=1), tick=False):
        world.submit(email="mary.smith@example.org")


@pytest.mark.settings(submissions_per_network=3)
def test_one_network_sends_a_few_an_hour(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        for _ in range(3):
            world.submit(network="198.51.100.0/24")
        with pytest.raises(TooMany) as refused:
            world.submit(network="198.51.100.0/24")
        assert 0 < refused.value.retry_after <= 3600
        world.submit(network="203.0.113.0/24")
    with time_machine.travel(MONDAY + timedelta(hours=1), tick=False):
        world.submit(network="198.51.100.0/24")


def test_confirming_twice_is_harmless(world: World) -> None:
    id = world.submit()
    token = world.secret(id, "M1")
    with unit_of_work():
        assert inquiries.confirm(token, by=world.visitor)[1] is True
    confirmed = world.get(id).confirmed_at
    before = world.stored()
    with unit_of_work():
        assert inquiries.confirm(token, by=world.visitor)[1] is False
    assert world.stored() == before
    assert world.get(id).confirmed_at == confirmed
    assert world.topics(id) == ["M1", "M2"]


def test_the_link_lasts_seven_days(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id = world.submit()
        token = world.secret(id, "M1")
    with time_machine.travel(MONDAY + timedelta(days=7), tick=False), pytest.raises(NotFound), unit_of_work():
        inquiries.confirm(token, by=world.visitor)
    with time_machine.travel(MONDAY + timedelta(days=7, seconds=-1), tick=False), unit_of_work():
        inquiries.confirm(token, by=world.visitor)


def test_coordinators_are_told_of_new_ones_once_a_day(world: World) -> None:
    coordinator = world.actor("coordinator", locale="zh")
    with time_machine.travel(MONDAY, tick=False):
        ids = [world.received() for _ in range(3)]
    with time_machine.travel(MONDAY + timedelta(days=1), tick=False):
        ids.append(world.received())
    told = [one for id in ids for one in world.mails(id, "staff")]
    assert [one.to_address for one in told] == [world.user(coordinator).email] * 2
    assert [one.subject for one in told] == ["【门户】您有 1 项待办", "【门户】您有 4 项待办"]


# -- drafts ------------------------------------------------------------------------------------------------------


def save(world: World, key: str = "the-key-of-a-draft", **given: Any) -> str:
    """Save a draft; returns the token of its mail."""
    values: dict[str, Any] = {
        "locale": "en",
        "email": "partner@example.org",
        "data": {"title": "Half a title"},
        "claim_token": None,
    }
    with unit_of_work():
        draft = inquiries.save_draft(
            world.department, Track.COOPERATION, submission_key=key, by=world.visitor, **(values | given)
        )
        id = draft.id
    return max(mail.of(("draft", id)), key=lambda one: one.id).secrets[0]


def test_a_draft_is_found_by_its_newest_link_for_seven_days(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        first = save(world)
        second = save(world, data={"title": "A whole title"})
        assert number(Draft) == 1
        assert inquiries.find_draft(second).data == {"title": "A whole title"}
        with pytest.raises(NotFound):
            inquiries.find_draft(first)
    with time_machine.travel(MONDAY + timedelta(days=7), tick=False), pytest.raises(NotFound):
        inquiries.find_draft(second)


def test_a_draft_is_gone_with_its_mails_when_it_was_sent(world: World) -> None:
    token = save(world, "a-key")
    assert number(OutboxMail) == 1
    id = world.submit(key="a-key")
    assert number(Draft) == 0
    assert [one.about_kind for one in db.session.scalars(sa.select(OutboxMail))] == ["inquiry"]
    with pytest.raises(NotFound):
        inquiries.find_draft(token)
    assert world.topics(id) == ["M1"]


# -- the sweep ---------------------------------------------------------------------------------------------------


def test_after_seven_days_nothing_is_left(world: World, worker: Callable[[], Any]) -> None:
    with time_machine.travel(MONDAY, tick=False):
        upload(world, "c" * 43)
        upload(world, "d" * 43)
        save(world, claim_token="d" * 43, email="canary@example.org")
        id = world.submit(claim_token="c" * 43, title="Quetzalcoatlus northropi")
        kept = world.received()
        assert search.find("inquiry", "Quetzalcoatlus", department_ids=[world.department_id]) == [id]
        assert world.get(id).file_count == 1
    with time_machine.travel(MONDAY + timedelta(days=7, seconds=-1), tick=False), unit_of_work():
        assert submission.sweep() == 0
    with time_machine.travel(MONDAY + timedelta(days=7), tick=False):
        with unit_of_work():
            assert submission.sweep() == 2
        assert [row.id for row in db.session.scalars(sa.select(Inquiry))] == [kept]
        assert number(Draft) == 0
        assert search.find("inquiry", "Quetzalcoatlus", department_ids=[world.department_id]) == []
        assert mail.of(("inquiry", id)) == []
        assert (
            db.session.scalars(sa.select(OutboxMail).filter_by(to_address="canary@example.org")).all() == []
        )
        assert {row.inquiry_id for row in db.session.scalars(sa.select(Link))} == {kept}
        assert world.counts() == world.real_counts() == {"received": 1}
        worker()
        assert number(files.StoredFile) == 0
        assert files.fsck().is_clean
        with unit_of_work():
            assert submission.sweep() == 0


def test_a_confirmed_one_is_never_swept(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id = world.received()
    with time_machine.travel(MONDAY + timedelta(days=400), tick=False), unit_of_work():
        assert submission.sweep() == 0
    assert world.get(id).status is Status.RECEIVED


# -- links -------------------------------------------------------------------------------------------------------


def test_a_new_link_ends_the_old_ones_and_open_pages(world: World) -> None:
    id = world.received()
    inquiry = world.get(id)
    old = world.secret(id, "M2")
    with unit_of_work():
        session = links.open_session(world.get(id), minutes=60)
    assert links.session_of(session, inquiry.reference) is not None
    with unit_of_work():
        inquiries.request_link(f" {inquiry.reference.lower()} ", inquiry.email.upper(), by=world.visitor)
    assert links.find(LinkKind.PRIVATE, old) is None
    assert links.session_of(session, inquiry.reference) is None
    new = world.mails(id)[-1]
    assert (new.topic, new.to_address) == ("link", inquiry.email)
    found = links.find(LinkKind.PRIVATE, new.secrets[0])
    assert found is not None
    assert found.inquiry_id == id


def test_a_session_opens_its_own_inquiry_alone_and_ends(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        mine, other = world.get(world.received()), world.get(world.received())
        references = mine.reference, other.reference
        with unit_of_work():
            token = links.open_session(mine, minutes=60)
        assert links.session_of(token, references[0]) is not None
        assert links.session_of(token, references[1]) is None
    with time_machine.travel(MONDAY + timedelta(minutes=60), tick=False):
        assert links.session_of(token, references[0]) is None


# -- the partner's own steps -------------------------------------------------------------------------------------


def test_an_answer_sent_twice_is_kept_once(world: World) -> None:
    id = world.at("needs_info")
    world.answer(id, key="one-answer")
    before = world.stored()
    world.answer(id, key="one-answer")
    assert world.stored() == before


def test_a_withdrawal_can_be_taken_back_for_30_days(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id, late = world.at("withdrawn"), world.at("withdrawn")
    with time_machine.travel(MONDAY + timedelta(days=30), tick=False):
        world.do(inquiries.resume, id, by=world.visitor)
        inquiry = world.get(id)
        assert (inquiry.status, inquiry.closed_at) == (Status.RECEIVED, None)
        # Wednesday 2 December: read by Monday the 7th, answered by Wednesday the 9th.
        assert inquiry.due_at == datetime(2026, 12, 7, 15, 59, 59, tzinfo=UTC)
        assert inquiry.first_answer_due == datetime(2026, 12, 9, 15, 59, 59, tzinfo=UTC)
    with time_machine.travel(MONDAY + timedelta(days=30, seconds=1), tick=False):
        with pytest.raises(Conflict, match="30 days only"):
            world.do(inquiries.resume, late, by=world.visitor)
        assert world.get(late).status is Status.WITHDRAWN


def test_a_partner_writes_twenty_times_a_day(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id = world.received()
        for n in range(20):
            world.answer(id, f"Message {n}")
        with pytest.raises(TooMany):
            world.answer(id, "One too many")


def test_a_name_that_no_header_takes_keeps_no_answer_back(world: World) -> None:
    """Encoded words in a name would become headers of their own; the mail goes to the bare address then."""
    id = world.received(full_name="=?utf-8?q?x=0ABcc:_evil=40e.example?=")
    world.ask(id)
    assert world.mails(id, "partner")[-1].to_name is None
    named = world.received(full_name="Zoë Müller 王芳")
    world.ask(named)
    assert world.mails(named, "partner")[-1].to_name == "Zoë Müller 王芳"


def test_what_all_tracks_share_is_kept_in_columns_and_the_rest_under_its_names(world: World) -> None:
    inquiry = world.get(world.submit("visit", needed_by=None))
    assert inquiry.track is Track.VISIT
    assert set(inquiry.answers) == {
        "visitor_type",
        "preferred_start",
        "duration_weeks",
        "purpose",
        "funding_source",
        "adult_declaration",
    }
    assert inquiry.title.startswith("I would like to learn selection")
    assert inquiry.privacy_version == world.department.settings.privacy.version
    assert inquiry.email_key == inquiry.email.casefold()
    assert tokens.digest("submission", "x") != inquiry.submission_key


def test_a_staff_member_confirms_for_a_lost_mail(world: World) -> None:
    id = world.submit()
    world.do(submission.confirm_by_hand, id, by=world.actor("coordinator"))
    inquiry = world.get(id)
    assert (inquiry.status, inquiry.unread) == (Status.RECEIVED, False)
    assert inquiry.coordinator_id == world.actor("coordinator").user_id
    assert Actor(kind="visitor").roles_in(world.department_id) == frozenset()

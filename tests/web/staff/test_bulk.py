"""One step for many inquiries: each a transaction of its own, refusals told row by row."""

import csv
import io
from collections.abc import Callable
from xml.etree.ElementTree import Element

import pytest
from werkzeug.test import TestResponse

from collab import mail
from collab.core.db import db, unit_of_work
from collab.inquiries import Inquiry, Status, triage
from tests.support import html
from tests.support.forms import forms_of
from tests.support.people import Staff
from tests.support.world import World


def row(world: World, id: int) -> str:
    return f"{world.get(id).reference}:{world.get(id).version}"


def ticked(member: Staff, rows: list[str], button: str) -> TestResponse:
    """Rows ticked in the queue, and a button above them pressed."""
    return member.fill("/staff/inquiries", _form="bulk", _button=button, row=rows)


def page_of(member: Staff, id: int) -> Element:
    return member.page(f"/staff/inquiries/{db.session.get_one(Inquiry, id).reference}")


def text(answer: TestResponse) -> str:
    return html.text_of(html.parse(answer.text))


def test_the_step_is_looked_at_before_it_is_done(world: World, coordinator: Staff) -> None:
    ids = [world.received(title=title) for title in ("One of two", "Two of two")]
    page = ticked(coordinator, [row(world, id) for id in ids], "Set the coordinator")
    assert page.status_code == 200
    assert "2 inquiries" in text(page)
    assert world.get(ids[0]).coordinator_id is None
    done = coordinator.answer(page, _form="step", person=str(coordinator.user_id))
    assert "Done for 2 inquiries" in text(done)
    assert {world.get(id).coordinator_id for id in ids} == {coordinator.user_id}


def test_what_changed_is_refused_and_the_others_are_done(world: World, coordinator: Staff) -> None:
    kept, changed = world.received(title="As it was"), world.received(title="Changed meanwhile")
    page = ticked(coordinator, [row(world, kept), row(world, changed)], "void")
    with unit_of_work():
        triage.expedite(world.get(changed), by=coordinator.actor)
    done = coordinator.answer(page, _form="step", reason="spam")
    assert "Done for 1 inquiry" in text(done)
    assert "1 was refused" in text(done)
    assert "Marked as urgent" in text(done)
    assert world.get(kept).status is Status.VOID
    assert world.get(changed).status is Status.RECEIVED


def test_a57_sent_again_it_does_nothing_twice(world: World, coordinator: Staff) -> None:
    id = world.received()
    page = ticked(coordinator, [row(world, id)], "own")
    for expected in ("Done for 1 inquiry", "1 was refused"):
        assert expected in text(coordinator.answer(page, _form="step", person=str(coordinator.user_id)))
    assert world.kinds(id).count("owner") == 1


def test_reminding_tells_whom_it_waits_for_and_not_twice_a_day(world: World, coordinator: Staff) -> None:
    asked, idle = world.received(), world.received()
    world.ask(asked)
    done = coordinator.answer(
        ticked(coordinator, [row(world, asked), row(world, idle)], "Remind"), _form="step"
    )
    assert "Nobody is waited for here." in text(done)
    assert [one.topic for one in mail.of(("inquiry", asked))].count("M3r1") == 1
    again = coordinator.answer(ticked(coordinator, [row(world, asked)], "Remind"), _form="step")
    assert "A reminder went out within the last day." in text(again)


def test_hosts_and_reviewers_are_reminded_of_their_answers(world: World, coordinator: Staff) -> None:
    id = world.received()
    host = world.actor("host", name="Hanna Host")
    world.route(id, host)
    before = len(mail.of(("inquiry", id)))
    coordinator.answer(ticked(coordinator, [row(world, id)], "Remind"), _form="step")
    new = mail.of(("inquiry", id))[before:]
    assert [(one.topic, one.to_address) for one in new] == [("S2", world.user(host).email)]


def test_a52_the_file_holds_what_was_ticked(world: World, coordinator: Staff) -> None:
    wanted = world.received(title="=1+1 wanted")
    world.received(title="Not wanted")
    answer = ticked(coordinator, [row(world, wanted)], "Download as CSV")
    table = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert [line[0] for line in table[1:]] == [world.get(wanted).reference]
    assert "'=1+1 wanted" in table[1]


def test_many_get_one_tag(world: World, coordinator: Staff) -> None:
    ids = [world.received(), world.received()]
    page = ticked(coordinator, [row(world, id) for id in ids], "Add a tag")
    assert "Write the tag." in text(coordinator.answer(page, _form="step"))
    done = coordinator.answer(page, _form="step", tag="Spring school")
    assert "Done for 2 inquiries" in text(done)
    for id in ids:
        assert "Spring school" in text(coordinator.get(f"/staff/inquiries/{world.get(id).reference}"))


def test_nothing_ticked_says_what_to_do(world: World, coordinator: Staff) -> None:
    world.received()
    answer = ticked(coordinator, [], "own")
    assert answer.status_code == 422
    assert "Tick the inquiries in the queue first." in text(answer)


def test_it_leads_back_to_the_view_it_came_from(world: World, coordinator: Staff) -> None:
    id = world.received("visit")
    view = "/staff/inquiries?status=received&track=visit"
    page = coordinator.fill(view, _form="bulk", _button="own", row=[row(world, id)])
    done = coordinator.answer(page, _form="step", person=str(coordinator.user_id))
    assert 'href="/staff/inquiries?status=received&amp;track=visit"' in done.text


@pytest.mark.parametrize("broken", ["x", "NM-2026-0001", "NM-2026-0001:-1", "' OR 1=1:1"])
def test_a34_rows_that_no_queue_shows_are_a_bad_request(
    world: World, coordinator: Staff, broken: str
) -> None:
    world.received()
    answer = coordinator.fill("/staff/inquiries", _form="bulk", _button="own", _forged={"row": [broken]})
    assert answer.status_code == 400
    answer = coordinator.fill("/staff/inquiries", _form="bulk", _button="own", _forged={"do": "decide"})
    assert answer.status_code == 400


def test_a08_what_is_closed_to_a_person_is_not_touched(world: World, coordinator: Staff) -> None:
    mine, closed = world.received(title="Mine to see"), world.received(title="Closed to me")
    rows = [row(world, mine), row(world, closed)]
    with unit_of_work():
        triage.declare_conflict(world.get(closed), by=coordinator.actor)
    page = coordinator.fill("/staff/inquiries", _form="bulk", _button="void", _forged={"row": rows})
    assert "Mine to see" in page.text
    assert "Closed to me" not in page.text
    done = coordinator.answer(page, _form="step", reason="spam", _forged={"row": rows})
    assert world.get(closed).status is Status.RECEIVED
    assert world.get(mine).status is Status.VOID
    assert "Closed to me" not in done.text


def test_a04_hosts_have_no_boxes_to_tick(world: World, staff: Callable[..., Staff]) -> None:
    host = staff("host")
    id = world.received(title="With the host")
    world.route(id, host.actor)
    page = host.get("/staff/inquiries")
    assert "With the host" in page.text
    assert 'name="row"' not in page.text
    (note,) = [form for form in forms_of(page_of(host, id)) if form.action.endswith("/note")]
    sent = {"csrf_token": note.value("csrf_token"), "do": "void", "row": row(world, id), "sure": "1"}
    origin = {"Origin": "http://localhost", "Referer": "http://localhost/staff/inquiries"}
    assert host.post("/staff/bulk", data=sent, headers=origin).status_code == 403
    assert world.get(id).status is Status.IN_REVIEW


def test_the_whole_view_can_be_taken_away(world: World, coordinator: Staff) -> None:
    wanted = world.received("visit", title="A visit")
    world.received("training")
    answer = coordinator.fill("/staff/inquiries?track=visit", _button="All of this view as CSV")
    table = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert [line[0] for line in table[1:]] == [world.get(wanted).reference]

"""The partner's own page at every status, and each thing the partner can do there."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from collab import files, inquiries, mail, reviews
from collab.accounts import User
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.inquiries import AssignmentKind, HostAnswer, Inquiry, Reason, Status, conversation, triage
from collab.reviews import Facts, Verdict
from tests.support.client import Client
from tests.support.html import parse, text_of
from tests.support.interests import declare_none
from tests.support.world import World
from tests.web.partner.sample import again, links, pdf, received, sent

Staff = Callable[..., Any]
AFTER_HOLD = timedelta(minutes=16)


def my(client: Client, inquiry: Inquiry, lang: str = "en") -> str:
    """What the page says, as text."""
    answer = client.get(f"/{lang}/my/{inquiry.reference}")
    assert answer.status_code == 200
    return text_of(parse(answer.text))


def buttons(client: Client, inquiry: Inquiry) -> set[str]:
    """The last parts of the addresses one can go to or send to from the page."""
    page = client.page(f"/en/my/{inquiry.reference}")
    own = f"/my/{inquiry.reference}/"
    found = [one.get("action") or "" for one in page.iter("form")] + [
        one.get("href") or "" for one in page.iter("a")
    ]
    return {address.rpartition("/")[2] for address in found if own in address}


def act(verb: Callable[..., Any], inquiry: Inquiry, *args: Any, by: Any, **given: Any) -> None:
    with unit_of_work():
        verb(db.session.get_one(Inquiry, inquiry.id), *args, by=by, **given)


def tomorrow(days: int = 10) -> date:
    return clock.today("Asia/Shanghai") + timedelta(days=days)


def ready(inquiry: Inquiry, staff: Staff) -> Any:
    """Bring an inquiry to the head; returns the head."""
    coordinator, host = staff("coordinator", signed_in=False), staff("host", signed_in=False)
    act(
        lambda one, **given: triage.route(
            one, db.session.get_one(User, host.user_id), kind=AssignmentKind.HOST, due_on=tomorrow(), **given
        ),
        inquiry,
        by=coordinator.actor,
    )
    act(declare_none, inquiry, by=host.actor)
    act(triage.host_answers, inquiry, HostAnswer.YES, by=host.actor)
    act(triage.mark_ready, inquiry, by=coordinator.actor)
    head = staff("head", signed_in=False)
    act(declare_none, inquiry, by=head.actor)
    return head


def test_received(client: Client, department: Department) -> None:
    inquiry = received(client)
    page = my(client, inquiry)
    assert "A coordinator reads your inquiry. You will hear from a person by" in page
    assert "Next step: the department." in page
    assert buttons(client, inquiry) == {"answer", "close", "data.json", "erase", "withdraw"}


def test_a_question_and_its_answer_with_files(client: Client, staff: Staff, department: Department) -> None:
    inquiry = received(client)
    act(
        triage.ask,
        inquiry,
        "Which period\ndo you mean?",
        answer_by=tomorrow(),
        by=staff("coordinator", signed_in=False).actor,
    )
    page = my(client, inquiry)
    assert "We need something from you" in page
    assert "We wait for your answer until" in page
    assert "What we still need from you" in page
    assert "Which period do you mean?" in page
    assert "Next step: you." in page
    refused = client.fill(
        f"/en/my/{inquiry.reference}", _form="answer", body="", _files={"attachment": ("plan.pdf", pdf())}
    )
    assert refused.status_code == 422
    assert "plan.pdf" in refused.text
    more = client.answer(
        refused,
        _form="answer",
        body="Spring 2027, please.",
        _files={"attachment": [("a.pdf", pdf()), ("b.pdf", pdf(2))]},
    )
    assert more.status_code == 303
    assert again(inquiry.id).status is Status.RECEIVED
    page = my(client, inquiry)
    assert "Thank you. Your message has arrived." in page
    assert "Spring 2027, please." in page
    (message,) = [
        one for one in inquiries.partner.conversation(again(1), now=clock.now()).letters if one.from_partner
    ]
    found = files.of("message", message.id)
    assert [file.filename for file in found] == ["plan.pdf", "a.pdf", "b.pdf"]
    got = client.get(f"/en/my/{inquiry.reference}/files/{found[2].id}")
    assert got.status_code == 200
    assert got.data == pdf(2)
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert again(inquiry.id).unread


def test_an_answer_sent_twice_is_kept_once(client: Client, department: Department) -> None:
    inquiry = received(client)
    opened = client.get(f"/en/my/{inquiry.reference}")
    for _ in range(3):
        assert client.answer(opened, _form="answer", body="Once is enough.").status_code == 303
    letters = inquiries.partner.conversation(again(inquiry.id), now=clock.now()).letters
    assert [one.body for one in letters] == ["Once is enough."]


def test_a_refused_answer_keeps_text_and_files(client: Client, department: Department) -> None:
    inquiry = received(client)
    body = "x" * 5001
    for files_sent in ({"attachment": ("a.exe", b"MZ")}, None):
        refused = client.fill(f"/en/my/{inquiry.reference}", _form="answer", body=body, _files=files_sent)
        assert refused.status_code == 422
        assert body in refused.text
    hidden = client.fill(f"/en/my/{inquiry.reference}", _form="answer", body="a\u202eb")
    assert hidden.status_code == 422
    assert inquiries.partner.conversation(again(inquiry.id), now=clock.now()).letters == []


def test_too_many_messages_are_put_off_with_the_text_kept(
    client: Client, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "MESSAGES_A_DAY", 1)
    inquiry = received(client)
    assert client.fill(f"/en/my/{inquiry.reference}", _form="answer", body="First").status_code == 303
    refused = client.fill(f"/en/my/{inquiry.reference}", _form="answer", body="Second, kept")
    assert refused.status_code == 429
    assert "Second, kept" in refused.text


def test_an_answer_reopens_a_lapsed_one(client: Client, staff: Staff, department: Department) -> None:
    inquiry = received(client)
    act(triage.ask, inquiry, "Well?", answer_by=tomorrow(3), by=staff("coordinator", signed_in=False).actor)
    with time_machine.travel(clock.now() + timedelta(days=5), tick=True):
        with unit_of_work():
            inquiries.clockwork.look(inquiry.id)
        assert again(inquiry.id).status is Status.LAPSED
        client.fill(links(inquiry.id, "i")[-1])
        assert "Closed. You may write again at any time." in my(client, inquiry)
        assert (
            client.fill(f"/en/my/{inquiry.reference}", _form="answer", body="Here I am.").status_code == 303
        )
    assert again(inquiry.id).status is Status.RECEIVED


def test_withdrawn_and_taken_back(client: Client, department: Department) -> None:
    inquiry = received(client)
    page = client.get(f"/en/my/{inquiry.reference}/withdraw")
    assert "30 days" in page.text
    assert again(inquiry.id).status is Status.RECEIVED
    assert client.fill(f"/en/my/{inquiry.reference}/withdraw").status_code == 303
    assert again(inquiry.id).status is Status.WITHDRAWN
    assert buttons(client, inquiry) == {"resume", "close", "data.json", "erase"}
    assert client.fill(f"/en/my/{inquiry.reference}", _form="resume").status_code == 303
    assert again(inquiry.id).status is Status.RECEIVED
    assert [one.topic for one in sorted(mail.of(("inquiry", inquiry.id)), key=lambda one: one.id)][-2:] == [
        "M13",
        "M2b",
    ]


def test_after_30_days_a_withdrawal_stays(client: Client, department: Department) -> None:
    inquiry = received(client)
    client.fill(f"/en/my/{inquiry.reference}/withdraw")
    with time_machine.travel(clock.now() + timedelta(days=31), tick=True):
        client.fill(links(inquiry.id, "i")[-1])
        assert "resume" not in buttons(client, inquiry)
        token = client.form(f"/en/my/{inquiry.reference}", form="close").value("csrf_token")
        refused = client.post(
            f"/en/my/{inquiry.reference}/resume", data={"csrf_token": token}, follow_redirects=True
        )
        assert "30 days only" in refused.text
    assert again(inquiry.id).status is Status.WITHDRAWN


def test_asking_for_erasure(client: Client, department: Department) -> None:
    inquiry = received(client)
    assert "within 30 days" in client.get(f"/en/my/{inquiry.reference}/erase").text
    assert again(inquiry.id).erasure_requested_at is None
    assert client.fill(f"/en/my/{inquiry.reference}/erase").status_code == 303
    found = again(inquiry.id)
    assert (found.status, found.erasure_requested_at is not None) == (Status.WITHDRAWN, True)
    assert "You asked on" in my(client, inquiry)
    assert buttons(client, inquiry) == {"close", "data.json"}


def test_own_data_hold_what_was_given_and_told_and_nothing_of_the_house(
    client: Client, staff: Staff, department: Department
) -> None:
    inquiry = received(client)
    coordinator = staff("coordinator", name="Wang Neibu", signed_in=False)
    act(conversation.note, inquiry, "INTERNAL-NOTE", by=coordinator.actor)
    act(triage.ask, inquiry, "A question to you", answer_by=tomorrow(), by=coordinator.actor)
    client.fill(f"/en/my/{inquiry.reference}", _form="answer", body="My answer")
    got = client.get(f"/en/my/{inquiry.reference}/data.json")
    assert got.mimetype == "application/json"
    assert got.headers["Content-Disposition"].startswith("attachment")
    data = json.loads(got.text)
    assert data["reference"] == inquiry.reference
    assert data["given"]["summary"] == inquiry.answers["summary"]
    assert data["given"]["email"] == inquiry.email
    assert [(one["from"], one["text"]) for one in data["letters"]] == [
        ("department", "A question to you"),
        ("you", "My answer"),
    ]
    for text in (got.text, my(client, inquiry)):
        assert "INTERNAL-NOTE" not in text
        assert "Wang Neibu" not in text


@pytest.mark.parametrize(
    ("verdict", "facts", "sentence"),
    [
        (Verdict.ACCEPT, Facts(), "The department agrees."),
        (
            Verdict.DECLINE,
            Facts(reason=Reason.NO_CAPACITY_IN_PERIOD),
            "All places in the period you named are taken.",
        ),
        (Verdict.WAITLIST, Facts(period="spring 2027"), "Suitable, but no place in spring 2027."),
        (
            Verdict.REFER,
            Facts(
                reason=Reason.OTHER_DEPARTMENT, office="The other office", contact="https://example.org/other"
            ),
            "This office can help you: The other office, https://example.org/other.",
        ),
    ],
)
def test_a_decision_is_seen_when_its_hold_is_over(
    client: Client, staff: Staff, department: Department, verdict: Verdict, facts: Facts, sentence: str
) -> None:
    inquiry = received(client)
    head = ready(inquiry, staff)
    before = my(client, inquiry)
    act(
        reviews.decide,
        inquiry,
        verdict,
        because="HOUSE-REASON",
        facts=facts,
        letter="THE-LETTER to you",
        by=head.actor,
    )
    held = my(client, inquiry)
    assert held == before
    assert "THE-LETTER" not in client.get(f"/en/my/{inquiry.reference}/data.json").text
    with time_machine.travel(clock.now() + AFTER_HOLD, tick=True):
        page = my(client, inquiry)
        assert sentence in page
        assert "THE-LETTER to you" in page
        assert "HOUSE-REASON" not in page
        if verdict is Verdict.WAITLIST:
            assert client.fill(f"/en/my/{inquiry.reference}", _form="interested").status_code == 303
            assert "You stay on the waiting list." in my(client, inquiry)


def test_a_letter_taken_back_was_never_there(client: Client, staff: Staff, department: Department) -> None:
    inquiry = received(client)
    head = ready(inquiry, staff)
    act(
        reviews.decide,
        inquiry,
        Verdict.ACCEPT,
        because="x",
        facts=Facts(),
        letter="THE-LETTER",
        by=head.actor,
    )
    act(reviews.take_back, inquiry, by=head.actor)
    with time_machine.travel(clock.now() + AFTER_HOLD, tick=True):
        assert "THE-LETTER" not in my(client, inquiry)


def test_late_is_said_openly(client: Client, department: Department) -> None:
    inquiry = received(client)
    with time_machine.travel(clock.now() + timedelta(days=20), tick=True):
        client.fill(links(inquiry.id, "i")[-1])
        assert "are late. We are sorry" in my(client, inquiry)


def test_a_merged_one_points_to_the_original(client: Client, staff: Staff, department: Department) -> None:
    first, second = received(client), received(client)
    act(
        lambda one, **given: triage.merge(one, into=db.session.get_one(Inquiry, first.id), **given),
        second,
        by=staff("coordinator", signed_in=False).actor,
    )
    assert f"Your message {second.reference}" in my(client, first)
    page = client.get(f"/en/my/{second.reference}")
    assert f"Your inquiry {first.reference}" in page.text
    sent = client.answer(page, _form="answer", body="One more word, sent from the second page.")
    assert sent.headers["Location"].endswith(f"/en/my/{second.reference}")
    assert "One more word" in my(client, first)
    assert "One more word" in my(client, second)


def test_the_page_closes(client: Client, department: Department) -> None:
    inquiry = received(client)
    closed = client.fill(f"/en/my/{inquiry.reference}", _form="close", _follow=True)
    assert closed.status_code == 200
    assert client.get(f"/en/my/{inquiry.reference}").status_code == 404


def test_what_was_being_written_is_given_back_when_the_page_has_closed(
    client: Client, department: Department
) -> None:
    inquiry = received(client)
    opened = client.get(f"/en/my/{inquiry.reference}")
    with time_machine.travel(clock.now() + timedelta(hours=2), tick=True):
        late = client.answer(opened, _form="answer", body="A long and careful answer")
    assert late.status_code == 404
    assert "A long and careful answer" in late.text


def test_a_lost_link_is_renewed_and_the_older_ones_die(
    client: Client, browser_like: Callable[[], Client], department: Department
) -> None:
    inquiry = received(client)
    old = links(inquiry.id, "i")
    stranger = browser_like()
    asked = stranger.fill(
        "/en/link", reference=inquiry.reference.lower(), email=inquiry.email.upper(), _follow=True
    )
    assert asked.status_code == 200
    new = links(inquiry.id, "i")[len(old) :]
    assert len(new) == 1
    for path in old:
        assert stranger.fill(path).status_code == 404
    assert client.get(f"/en/my/{inquiry.reference}").status_code == 404
    assert stranger.fill(new[0]).status_code == 303
    assert stranger.get(f"/en/my/{inquiry.reference}").status_code == 200


def test_an_unconfirmed_one_gets_its_confirmation_again(client: Client, department: Department) -> None:
    inquiry = sent(client)
    client.fill("/en/link", reference=inquiry.reference, email=inquiry.email)
    assert len(links(inquiry.id, "confirm")) == 2
    assert links(inquiry.id, "i") == []


def test_confirming_twice_is_harmless(client: Client, department: Department) -> None:
    inquiry = sent(client)
    (link,) = links(inquiry.id, "confirm")
    first, second = client.fill(link), client.fill(link)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert [one.topic for one in mail.of(("inquiry", inquiry.id)) if one.reader == "partner"].count("M2") == 1
    assert "Received" in client.get(first.location).text


def test_the_wish_is_heard_while_the_decision_on_it_is_held(
    world: World, partner: Callable[..., Client]
) -> None:
    id = world.at("waitlisted")
    world.decide(id, "accept")
    inquiry = world.get(id)
    client = partner(inquiry)
    assert client.fill(f"/en/my/{inquiry.reference}", _form="interested").status_code == 303
    page = my(client, inquiry)
    assert "Thank you. You stay on the waiting list." in page
    assert "decides" not in page

"""Steps that end with a letter: the facts, the letter as it goes out, the hold, taking back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from collab import mail, reviews
from collab.core import clock
from collab.core.db import db
from collab.inquiries import Inquiry, Message
from collab.mail import MailState
from tests.support import html
from tests.support.people import Staff
from tests.support.world import World


def stored(address: str) -> Inquiry:
    return db.session.query(Inquiry).filter_by(reference=address.rpartition("/")[2]).one()


def preview(member: Staff, address: str, step: str, **facts: Any) -> Any:
    answer = member.fill(f"{address}/{step}", _form="facts", _button="preview", _typing=timedelta(0), **facts)
    assert answer.status_code == 200, answer.text
    return answer


def letter_in(answer: Any) -> str:
    tree = html.parse(answer.text)
    return next(one.text or "" for one in tree.iter("textarea") if one.get("name") == "letter").strip()


VERDICTS: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("accept", {}, "accepted", "M5", "agrees"),
    (
        "conditional",
        {"conditions-0-text": "Ethics approval", "conditions-0-due_on": 30, "conditions-2-text": "Agreement signed",
         "conditions-2-due_on": 40, "conditions-2-owner": "department"},
        "conditional", "M6", "Ethics approval",
    ),
    ("waitlist", {"period": "spring 2027"}, "waitlisted", "M7", "spring 2027"),
    (
        "refer",
        {"referral_reason": "procurement", "office": "Purchasing office", "contact": "https://example.org/buy"},
        "referred", "M8", "https://example.org/buy",
    ),
    ("decline", {"decline_reason": "proposal_quality"}, "declined", "M9", "did not convince us"),
]  # fmt: skip


@pytest.mark.parametrize(("verdict", "facts", "status", "topic", "says"), VERDICTS)
def test_the_head_decides(
    world: World,
    at: Callable[..., str],
    head: Staff,
    verdict: str,
    facts: dict[str, Any],
    status: str,
    topic: str,
    says: str,
) -> None:
    address = at("decision_ready")
    given = {
        name: (world.today + timedelta(days=value)).isoformat() if isinstance(value, int) else value
        for name, value in facts.items()
    }
    shown = preview(head, address, "decide", verdict=verdict, because="Fits the plan.", **given)
    draft = letter_in(shown)
    assert says in draft
    assert "Fits the plan." not in draft
    assert stored(address).status == "decision_ready"
    inquiry = stored(address)
    text = html.text_of(html.parse(shown.text))
    assert f"<{inquiry.email}>" in text
    assert inquiry.reference in text

    sent = head.answer(shown, _form="send", _button="send", letter=draft + "\nWith kind regards.")
    assert (sent.status_code, sent.location) == (303, address), sent.text
    inquiry = stored(address)
    assert inquiry.status == status
    (held,) = [one for one in world.mails(inquiry.id, "partner") if one.topic == topic]
    assert held.state is MailState.HELD
    assert "With kind regards." in held.body_text
    assert held.subject in text
    decision = reviews.standing_decision(inquiry)
    assert decision is not None
    assert (decision.verdict, decision.because) == (verdict, "Fits the plan.")
    assert len(decision.conditions) == (2 if verdict == "conditional" else 0)
    page = head.get(address)
    assert "the letter is held until" in page.text
    assert "held, not sent yet" in page.text


def test_a_decision_is_taken_back_while_its_letter_is_held(
    world: World, at: Callable[..., str], staff: Callable[..., Staff]
) -> None:
    head, other = staff("head", name="Head A"), staff("head")
    address = at("decision_ready")
    shown = preview(head, address, "decide", verdict="accept", because="Fits the plan.")
    head.answer(shown, _form="send", _button="send")
    assert "/take-back" not in {form.action for form in _forms(other, address)}
    assert "Only Head A can take this back." in html.text_of(other.page(address))
    version = stored(address).version
    token = other.form("/staff/account", form="myself").value("csrf_token")
    answer = other.post(f"{address}/take-back", data={"csrf_token": token, "version": version})
    assert answer.status_code == 403
    assert head.fill(address, _form="/take-back", _typing=timedelta(0)).status_code == 303
    inquiry = stored(address)
    assert inquiry.status == "decision_ready"
    (gone,) = [one for one in world.mails(inquiry.id, "partner") if one.topic == "M5"]
    assert gone.state is MailState.CANCELLED
    assert "taken back, never sent" in head.get(address).text
    # Nobody lets it go after all.
    coordinator = staff("coordinator")
    assert coordinator.fill(f"/staff/outbox/{gone.id}", _form="/retry", _follow=True).status_code == 200
    assert mail.by_id(gone.id, [world.department_id]).state is MailState.CANCELLED


def _forms(member: Staff, address: str) -> list[Any]:
    from tests.support.forms import forms_of

    return forms_of(member.page(address))


def test_when_the_hold_is_over_nothing_is_taken_back(
    world: World, at: Callable[..., str], head: Staff
) -> None:
    address = at("decision_ready")
    shown = preview(head, address, "decide", verdict="accept", because="Fits the plan.")
    head.answer(shown, _form="send", _button="send")
    opened = head.get(address)
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=True):
        answer = head.answer(opened, _form="/take-back")
        assert answer.status_code == 409
        assert "the step cannot be taken back any more" in answer.text
        assert "held until" not in head.get(address).text
    assert stored(address).status == "accepted"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"verdict": "accept", "because": ""}, "because"),
        ({"because": "Fits."}, "verdict"),
        ({"verdict": "waitlist", "because": "Fits."}, "period"),
        ({"verdict": "conditional", "because": "Fits."}, "conditions-0-text"),
        (
            {"verdict": "conditional", "because": "Fits.", "conditions-1-text": "Ethics"},
            "conditions-1-due_on",
        ),
        (
            {"verdict": "conditional", "because": "Fits.", "conditions-1-due_on": "2027-01-31"},
            "conditions-1-text",
        ),
        (
            {
                "verdict": "conditional",
                "because": "Fits.",
                "conditions-0-text": "E",
                "conditions-0-due_on": "x",
            },
            "conditions-0-due_on",
        ),
        (
            {
                "verdict": "conditional",
                "because": "Fits.",
                "conditions-0-text": "E",
                "conditions-0-due_on": "2020-01-01",
            },
            "conditions-0-text",
        ),
        ({"verdict": "refer", "because": "Fits.", "office": "Purchasing"}, "referral_reason"),
        ({"verdict": "refer", "because": "Fits.", "referral_reason": "press"}, "office"),
        ({"verdict": "decline", "because": "Kept sentence."}, "decline_reason"),
    ],
)
def test_what_a_decision_needs_is_asked_at_its_field(
    at: Callable[..., str], head: Staff, facts: dict[str, Any], field: str
) -> None:
    address = at("decision_ready")
    answer = head.fill(f"{address}/decide", _form="facts", _button="preview", _typing=timedelta(0), **facts)
    assert answer.status_code == 422, html.text_of(html.parse(answer.text))
    assert f'id="{field}-error"' in answer.text
    assert all(str(value) in answer.text for value in facts.values())
    assert stored(address).status == "decision_ready"


def test_who_hosts_or_reviewed_does_not_decide(
    world: World, at: Callable[..., str], staff: Callable[..., Staff]
) -> None:
    both = staff("head", "host")
    address = at("received")
    id = stored(address).id
    world.route(id, both.actor)
    world.host_says(id, host=both.actor)
    world.ready(id)
    answer = both.get(f"{address}/decide")
    assert answer.status_code == 403
    assert "You are the host of this inquiry; somebody else has to decide." in answer.text
    page = both.get(address).text
    assert f"{address}/decide" not in page
    assert "You are the host of this inquiry" in page


def test_the_letter_is_not_sent_unread(world: World, at: Callable[..., str], head: Staff) -> None:
    """Without the draft's mark the letter is shown first, whatever button is pressed."""
    address = at("decision_ready")
    answer = head.fill(
        f"{address}/decide", _form="facts", verdict="accept", because="Fits.", _typing=timedelta(0),
        _forged={"send": "1", "letter": "Sent without looking", "drafted_for": "0" * 32},
    )  # fmt: skip
    assert answer.status_code == 200
    assert "Sent without looking" in answer.text
    assert letter_in(answer) != "Sent without looking"
    assert stored(address).status == "decision_ready"


def test_going_back_keeps_what_was_written(at: Callable[..., str], head: Staff) -> None:
    address = at("decision_ready")
    shown = preview(head, address, "decide", verdict="waitlist", because="Fits.", period="spring 2027")
    mine = "Dear colleague, my own words."
    back = head.answer(shown, _form="send", _button="change", letter=mine)
    assert back.status_code == 200
    same = head.answer(back, _form="facts", _button="preview")
    assert letter_in(same) == mine
    changed = head.answer(back, _form="facts", _button="preview", period="autumn 2027")
    assert "autumn 2027" in letter_in(changed)
    assert "What you had written" in changed.text
    assert mine in changed.text


def test_an_empty_or_hidden_letter_is_refused(at: Callable[..., str], head: Staff) -> None:
    address = at("decision_ready")
    shown = preview(head, address, "decide", verdict="accept", because="Fits.")
    for letter in ("", "   \n ", "turned \u202e round", "x" * 8001):
        answer = head.answer(shown, _form="send", _button="send", letter=letter)
        assert answer.status_code == 422, letter[:20]
        assert 'id="letter-error"' in answer.text
    assert stored(address).status == "decision_ready"


def test_two_heads_decide_at_the_same_time(
    world: World, at: Callable[..., str], staff: Callable[..., Staff]
) -> None:
    """F11: the second is told who, what and when, keeps the letter, and may look."""
    first, second = staff("head", name="First Head"), staff("head")
    address = at("decision_ready")
    one = preview(first, address, "decide", verdict="accept", because="Fits.")
    two = preview(
        second, address, "decide", verdict="decline", because="Does not.", decline_reason="incomplete"
    )
    assert first.answer(one, _form="send", _button="send").status_code == 303
    answer = second.answer(two, _form="send", _button="send", letter="Dear colleague, my own words.")
    assert answer.status_code == 409
    text = html.text_of(html.parse(answer.text))
    assert "Accepted, by First Head" in text
    assert "What happened meanwhile" in text
    assert letter_in(answer) == "Dear colleague, my own words."
    again = second.answer(answer, _form="send", _button="send")
    assert again.status_code in (403, 409)
    inquiry = stored(address)
    assert inquiry.status == "accepted"
    assert len(reviews.decisions_of(inquiry)) == 1
    assert [one.topic for one in world.mails(inquiry.id, "partner")][-1] == "M5"


# -- at triage -------------------------------------------------------------------------------------------------------


def test_a_coordinator_refers(world: World, at: Callable[..., str], coordinator: Staff) -> None:
    address = at("received")
    shown = preview(
        coordinator,
        address,
        "refer",
        reason="patient_request",
        office="Patients' service",
        contact="https://example.org/p",
    )
    assert "https://example.org/p" in letter_in(shown)
    assert coordinator.answer(shown, _form="send", _button="send").status_code == 303
    inquiry = stored(address)
    assert (inquiry.status, inquiry.reason) == ("referred", "patient_request")
    assert inquiry.outcome == {"office": "Patients' service", "contact": "https://example.org/p"}
    assert coordinator.fill(address, _form="/take-back", _typing=timedelta(0)).status_code == 303
    assert stored(address).status == "received"


def test_a_coordinator_declines_for_facts_only(
    world: World, at: Callable[..., str], staff: Callable[..., Staff]
) -> None:
    address = at("received")
    coordinator, head = staff("coordinator"), staff("head")
    offered = set(coordinator.form(f"{address}/decline", form="facts").choices("reason"))
    assert "out_of_scope" in offered
    assert "proposal_quality" not in offered
    assert "proposal_quality" in head.form(f"{address}/decline", form="facts").choices("reason")
    forged = coordinator.fill(f"{address}/decline", _form="facts", _forged={"reason": "proposal_quality"})
    assert forged.status_code == 422
    shown = preview(
        coordinator, address, "decline", reason="no_capacity_in_period", note="Asked in spring, too."
    )
    assert "Asked in spring, too." not in letter_in(shown)
    assert coordinator.answer(shown, _form="send", _button="send").status_code == 303
    assert stored(address).reason == "no_capacity_in_period"


def test_the_letter_comes_in_the_partners_language(at: Callable[..., str], coordinator: Staff) -> None:
    address = at("received", locale="zh")
    shown = preview(coordinator, address, "decline", reason="out_of_scope")
    assert "Chinese first, then English" in html.text_of(html.parse(shown.text))


# -- conditions ------------------------------------------------------------------------------------------------------


def test_conditions_are_settled_and_then_all_is_agreed(
    world: World, at: Callable[..., str], staff: Callable[..., Staff]
) -> None:
    address = at("conditional")
    coordinator, head = staff("coordinator"), staff("head")
    (condition,) = reviews.conditions_of(stored(address))
    refused = coordinator.get(f"{address}/fulfil")
    assert refused.status_code == 409
    assert "A condition is still open" in refused.text
    assert {b.value for b in _settling(coordinator, address, condition.id).buttons} == {"met", "failed"}
    assert {b.value for b in _settling(head, address, condition.id).buttons} == {"waived"}
    forged = coordinator.fill(
        address,
        _form=f"/conditions/{condition.id}",
        _button="met",
        _forged={"state": "waived"},
        _typing=timedelta(0),
    )
    assert forged.status_code == 403
    assert (
        coordinator.fill(
            address, _form=f"/conditions/{condition.id}", _button="met", _typing=timedelta(0)
        ).status_code
        == 303
    )
    opened = coordinator.get(f"{address}/fulfil")
    assert opened.status_code == 200
    assert coordinator.answer(opened, _form="send", _button="send").status_code == 303
    assert stored(address).status == "accepted"
    assert world.topics(stored(address).id)[-1] == "M5"


def _settling(member: Staff, address: str, condition_id: int) -> Any:
    return member.form(address, form=f"/conditions/{condition_id}")


def test_conditions_of_another_inquiry_are_not_found(at: Callable[..., str], coordinator: Staff) -> None:
    address, other = at("conditional"), at("conditional")
    (condition,) = reviews.conditions_of(stored(other))
    token = coordinator.form("/staff/account", form="myself").value("csrf_token")
    answer = coordinator.post(
        f"{address}/conditions/{condition.id}",
        data={"csrf_token": token, "version": stored(address).version, "state": "met"},
    )
    assert answer.status_code == 404
    db.session.rollback()
    assert reviews.conditions_of(stored(other))[0].state == "open"


def test_the_partner_sees_nothing_while_the_letter_is_held(
    world: World, at: Callable[..., str], head: Staff
) -> None:
    address = at("decision_ready")
    shown = preview(head, address, "decide", verdict="accept", because="Fits.")
    head.answer(shown, _form="send", _button="send")
    inquiry = stored(address)
    message = db.session.query(Message).filter_by(inquiry_id=inquiry.id).order_by(Message.id.desc()).first()
    assert message is not None
    assert message.visible_from is not None
    assert message.visible_from > clock.now()

"""A department's inquiries of which every figure was worked out by hand (in ``test_known_answers.py``).

Today is Monday, 23 November 2026. All days are those of Chengdu; 1 to 7 October and 25 to 27 September are holidays,
Sunday 20 September and Saturday 10 October are worked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from collab.core.db import db, unit_of_work
from collab.departments import Department, Track
from collab.inquiries import Inquiry, InquiryEvent, Reason, Status
from collab.inquiries.models import ReferenceCounter
from collab.inquiries.statuses import CLOSED

TODAY = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
_PLACE = ZoneInfo("Asia/Shanghai")


def at(day: str) -> datetime:
    """``10-09`` is ten in the morning of that day in 2026; ``11-05T23:30`` says the time as well."""
    day, _t, time = day.partition("T")
    return datetime.fromisoformat(f"2026-{day}T{time or '10:00'}:00").replace(tzinfo=_PLACE).astimezone(UTC)


@dataclass(frozen=True)
class One:
    """One inquiry.

    :param moves: (day, kind, from, to) of what happened after it was received.
    """

    number: int
    track: str
    area: str
    country: str
    kind: str
    locale: str
    came: str
    first: str | None
    status: str
    moves: Sequence[tuple[str, str, str, str]] = ()
    reason: str | None = None
    more: dict[str, Any] | None = None


R, N, I, D = "received", "needs_info", "in_review", "decision_ready"  # noqa: E741
BASIC, ONCO, PHARM, THYROID = "basic_research", "nuclear_oncology", "radiopharmaceuticals", "thyroid_i131"


def closed(day: str, kind: str, to: str, source: str = R) -> tuple[str, str, str, str]:
    return (day, kind, source, to)


INQUIRIES = [
    # September: 28 September to 12 October are 29, 30, 8, 9, 10, 12: six working days.
    One(1, "cooperation", BASIC, "DE", "university", "en", "09-28", "10-12", "accepted", [
        ("10-12", "route", R, I), ("10-19", "ready", I, D), ("10-20", "accept", D, "accepted")]),
    One(2, "cooperation", BASIC, "DE", "university", "en", "09-30", "10-10", "declined", [
        closed("10-10", "decline", "declined")], "out_of_scope",
        {"full_name": "–", "institution_name": "–", "title": "–", "anonymised_at": at("11-01")}),
    One(3, "cooperation", ONCO, "FR", "hospital", "en", "09-01", "09-01", "referred", [
        closed("09-01", "refer", "referred")], "press"),
    One(4, "visit", ONCO, "KE", "", "en", "09-07", "09-14", "conditional", [
        ("09-14", "route", R, I), ("10-01", "ready", I, D), ("10-07", "conditions", D, "conditional")]),
    One(5, "visit", ONCO, "KE", "", "en", "09-07", "09-15", "declined", [
        ("09-15", "route", R, I), closed("10-08", "decline", "declined", I)], "no_capacity_in_period"),
    One(6, "training", PHARM, "PK", "", "zh", "09-18", "09-21", "accepted", [
        ("09-21", "route", R, I), ("10-19", "ready", I, D), ("10-30", "accept", D, "accepted")]),
    One(7, "training", PHARM, "PK", "", "zh", "09-18", "09-25", "declined", [
        ("09-25", "route", R, I), closed("10-31", "decline", "declined", I)], "funding_missing"),
    # Asked from 11 to 21 September: the clock stands still for ten days.
    One(8, "cooperation", BASIC, "US", "company", "en", "09-10", "09-11", "waitlisted", [
        ("09-11", "ask", R, N), ("09-21", "answer", N, R), ("09-21", "route", R, I), ("10-09", "ready", I, D),
        ("10-12", "waitlist", D, "waitlisted")]),
    # October.
    One(9, "cooperation", BASIC, "US", "company", "en", "10-09", "10-12", "lapsed", [
        ("10-12", "ask", R, N), ("11-12", "lapse", N, "lapsed")]),
    One(10, "visit", ONCO, "VN", "", "en", "10-12", None, "withdrawn", [closed("10-13", "withdraw", "withdrawn")]),
    One(11, "visit", ONCO, "VN", "", "en", "10-12", None, "withdrawn", [closed("10-21", "withdraw", "withdrawn")]),
    One(12, "training", PHARM, "PK", "", "zh", "10-13", "10-13", "withdrawn", [
        ("10-13", "route", R, I), closed("10-20", "withdraw", "withdrawn", I)]),
    One(13, "cooperation", BASIC, "DE", "university", "en", "10-14", "10-16", "accepted", [
        ("10-16", "route", R, I), ("10-19", "ready", I, D), ("10-20", "conditions", D, "conditional"),
        ("10-30", "fulfil", "conditional", "accepted")]),
    # Declined and taken back while the letter was held: neither an answer nor a decision.
    One(14, "cooperation", BASIC, "DE", "hospital", "en", "10-14", "10-28", "accepted", [
        ("10-15", "decline", R, "declined"), ("10-15T10:05", "taken_back", "declined", R), ("10-28", "route", R, I),
        ("10-28T11:00", "ready", I, D), ("10-28T12:00", "accept", D, "accepted")]),
    # Declined, and opened again: the decision was made, the inquiry is open.
    One(15, "visit", ONCO, "FR", "", "en", "10-19", "10-20", "in_review", [
        ("10-20", "route", R, I), closed("10-26", "decline", "declined", I), ("10-28", "reopen", "declined", R),
        ("10-28T11:00", "route", R, I)]),
    # Out of all figures: spam, a duplicate of 14, one that nobody confirmed, an invented sample.
    One(16, "visit", ONCO, "KP", "", "en", "10-20", None, "void", [closed("10-20", "void", "void")], "spam"),
    One(17, "cooperation", BASIC, "DE", "hospital", "en", "10-14", None, "void", [
        closed("10-15", "merge", "void")], "duplicate", {"merged_into_id": 14}),
    One(18, "visit", ONCO, "KP", "", "en", "11-20", None, "unconfirmed"),
    One(19, "visit", ONCO, "KP", "", "en", "10-20", "10-21", "accepted", [
        closed("10-21", "accept", "accepted", D)], None, {"is_demo": True}),
    # November.
    One(20, "cooperation", BASIC, "JP", "research_institute", "en", "11-02", "11-04", "in_review", [
        ("11-04", "route", R, I)]),
    One(21, "cooperation", BASIC, "JP", "research_institute", "en", "11-03", "11-10", "decision_ready", [
        ("11-10", "route", R, I), ("11-11", "ready", I, D)]),
    One(22, "visit", ONCO, "KR", "", "zh", "11-16", None, "received"),  # five working days: still in time
    One(23, "visit", ONCO, "KR", "", "zh", "11-13", None, "received"),  # six: late
    One(24, "training", PHARM, "CN", "", "zh", "11-20", None, "received"),
    One(25, "training", PHARM, "CN", "", "zh", "11-02", "11-03", "needs_info", [("11-03", "ask", R, N)]),
    # An hour apart, on two days of Chengdu and on one of Greenwich.
    One(26, "cooperation", BASIC, "GB", "other", "en", "11-05T23:30", "11-06T00:30", "referred", [
        closed("11-06T00:30", "refer", "referred")], "procurement"),
    One(27, "visit", THYROID, "IN", "", "en", "11-09", "11-09", "accepted", [
        closed("11-09", "accept", "accepted", D)]),
    One(28, "visit", THYROID, "IN", "", "en", "11-09", "11-10", "accepted", [
        closed("11-10", "accept", "accepted", D)]),
    One(29, "visit", THYROID, "IN", "", "en", "11-09", "11-11", "declined", [
        closed("11-11", "decline", "declined")], "out_of_scope"),
    One(30, "visit", THYROID, "IN", "", "en", "11-09", "11-12", "declined", [
        closed("11-12", "decline", "declined")], "out_of_scope"),
    One(31, "visit", THYROID, "IN", "", "en", "11-09", "11-13", "declined", [
        closed("11-13", "decline", "declined")], "out_of_scope"),
    # August, before the period.
    One(32, "cooperation", BASIC, "DE", "university", "en", "08-10", "08-11", "in_review", [
        ("08-11", "route", R, I)]),
    One(33, "cooperation", BASIC, "DE", "university", "en", "08-11", "08-12", "accepted", [
        closed("08-20", "accept", "accepted", D)]),
]  # fmt: skip


def fill(department: Department, *, coordinator_id: int | None = None) -> None:
    """Put them all into a department."""
    with unit_of_work():
        db.session.add(ReferenceCounter(department_id=department.id, year=2026, last=len(INQUIRIES)))
        for one in sorted(INQUIRIES, key=lambda one: one.number):
            db.session.add(_row(department, one, coordinator_id))
            db.session.flush()
            db.session.add_all(
                InquiryEvent(
                    inquiry_id=one.number,
                    at=at(day),
                    kind=kind,
                    actor_kind="staff",
                    actor_name="Somebody",
                    from_status=Status(source),
                    to_status=Status(target),
                )
                for day, kind, source, target in one.moves
            )


def _row(department: Department, one: One, coordinator_id: int | None) -> Inquiry:
    status = Status(one.status)
    since = at(one.moves[-1][0]) if one.moves else at(one.came)
    row = Inquiry(
        id=one.number,
        department=department,
        reference=f"{department.code}-2026-{one.number:04d}",
        track=Track(one.track),
        status=status,
        locale=one.locale,
        submission_key=f"known-{one.number}",
        full_name=f"Person {one.number}",
        email=f"person-{one.number}@example.org",
        email_key=f"person-{one.number}@example.org",
        institution_name=f"Institution {one.number}",
        country=one.country,
        area=one.area,
        title=f"Title {one.number}",
        answers={"organisation_type": one.kind} if one.kind else {},
        privacy_version="1",
        privacy_acknowledged_at=at(one.came),
        source_page=f"/{one.locale}/visit" if one.track == "visit" else None,
        submitted_at=at(one.came),
        confirmed_at=None if status is Status.UNCONFIRMED else at(one.came),
        status_since=since,
        first_answer_at=at(one.first) if one.first else None,
        paused_at=since if status is Status.NEEDS_INFO else None,
        asked_from=Status.RECEIVED if status is Status.NEEDS_INFO else None,
        closed_at=since if status in CLOSED or status is Status.VOID else None,
        reason=Reason(one.reason) if one.reason else None,
        coordinator_id=coordinator_id if one.number % 2 else None,
    )
    for name, value in (one.more or {}).items():
        setattr(row, name, value)
    return row

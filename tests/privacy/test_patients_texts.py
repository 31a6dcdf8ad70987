"""What a patient wrote to the wrong place is gone within 30 days of the referral; figures and the name stay."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from collab import files, inquiries, search
from collab.audit import AuditEvent
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.inquiries import Inquiry, Reason, Status, partner, triage
from collab.jobs import schedule
from collab.jobs.inquiries import retain
from collab.jobs.upkeep import sweep_files
from tests.privacy.test_erasure import everywhere
from tests.support.partners import pdf
from tests.support.world import LETTER, MONDAY, World

#: Stands in everything that tells of the illness.
ILLNESS = "Glucagonoma"

#: What stays: what figures are made of, and who it was.
FIGURES = (
    "reference", "track", "area", "country", "status", "reason", "locale", "submitted_at", "confirmed_at", "closed_at",
    "first_answer_at", "first_answer_due", "outcome", "full_name", "email", "institution_name",
)  # fmt: skip


def at(days: float) -> Any:
    return time_machine.travel(MONDAY + timedelta(days=days), tick=False)


def written(world: World, **fields: Any) -> int:
    """A patient's request that told of the illness wherever one can write."""
    from io import BytesIO

    def upload(token: str) -> str:
        with unit_of_work():
            files.receive(
                BytesIO(pdf()),
                f"{ILLNESS}.pdf",
                department_id=world.department_id,
                purpose="inquiry",
                claim_token=token,
                max_bytes=100_000,
            )
        return token

    number = str(len(list(db.session.scalars(sa.select(Inquiry.id)))))
    id = world.received(
        title=f"{ILLNESS}: can you help?",
        summary=f"I have a {ILLNESS}. " * 8,
        full_name="Anna Beispiel",
        claim_token=upload(number.rjust(43, "u")),
        **fields,
    )
    world.do(inquiries.note, id, f"Has a {ILLNESS}.", by=world.actor("coordinator"))
    world.ask(id)
    world.answer(id, f"My {ILLNESS} is large.", claim_token=upload(number.rjust(43, "v")))
    return id


def refer(world: World, id: int, reason: Reason = Reason.PATIENT_REQUEST) -> None:
    world.do(
        triage.refer,
        id,
        reason=reason,
        office="Patient service",
        contact="https://example.org/patients",
        body=f"{LETTER}\nYour {ILLNESS} is for another office.",
        note=f"{ILLNESS}, sent on.",
        by=world.actor("coordinator"),
    )
    world.end_hold(id)


def test_what_a_patient_wrote_is_gone_within_thirty_days(world: World) -> None:
    with at(0):
        id = written(world)
        refer(world, id)
        inquiry = world.get(id)
        figures = {name: getattr(inquiry, name) for name in FIGURES}
        kinds = world.kinds(id)
        assert len(everywhere(ILLNESS)) >= 8
    with at(28.9):
        assert retain() == 0
        assert everywhere(ILLNESS)
    with at(29.1):
        assert retain() == 1
        sweep_files()
        assert everywhere(ILLNESS) == []
        inquiry = world.get(id)
        assert {name: getattr(inquiry, name) for name in figures} == figures
        assert world.kinds(id) == [*kinds, "texts_deleted"]
        assert inquiry.texts_deleted_at == clock.now()
        assert (inquiry.title, inquiry.file_count, files.of("inquiry", id)) == ("–", 0, [])
        assert set(inquiry.answers) <= {"organisation_type", "cooperation_type", "funding_source"}
        assert search.find("inquiry", "Beispiel", department_ids=[world.department_id]), (
            "the person can still be found"
        )
        page = partner.standing(inquiry, "en", now=clock.now())
        assert page.status is Status.REFERRED
        assert "Patient service" in page.sentence
        counted = db.session.scalars(sa.select(AuditEvent).filter_by(action="privacy.patients_text_deleted"))
        assert [event.detail for event in counted] == [{"inquiries": 1}]
    with at(30):  # a second round finds nothing, and says nothing
        before = world.stored()
        assert retain() == 0
        assert world.stored() == before


@pytest.mark.parametrize("merged", [True, False])
def test_what_was_merged_into_it_goes_with_it(world: World, merged: bool) -> None:
    with at(0):
        id = written(world, email="anna@example.org")
        twin = world.received(email="anna@example.org", title=f"{ILLNESS} again")
        if merged:
            world.do(
                lambda one, **given: triage.merge(one, into=world.get(id), **given),
                twin,
                by=world.actor("coordinator"),
            )
        refer(world, id)
    with at(29.5):
        assert retain() == 1
        sweep_files()
        assert bool(everywhere(ILLNESS)) is not merged


def test_nobody_elses_text_is_touched(world: World) -> None:
    with at(0):
        other_reason, reopened, still_open, erased = (written(world) for _number in range(4))
        refer(world, other_reason, Reason.OTHER_DEPARTMENT)
        for id in (reopened, erased):
            refer(world, id)
        from collab import privacy

        world.do(privacy.erase, erased, by=world.actor("coordinator"))
    with at(10):
        world.do(
            triage.reopen, reopened, because="It is a cooperation after all.", by=world.actor("coordinator")
        )
    with at(60):
        before = world.stored()
        assert retain() == 0
        assert world.stored() == before
        for id in (other_reason, reopened, still_open):
            assert ILLNESS in world.get(id).title


@pytest.mark.one_database
def test_the_worker_does_it_every_day() -> None:
    (job,) = [job for job in schedule.JOBS if job.run is retain]
    assert job.every == timedelta(days=1)

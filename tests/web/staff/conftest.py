"""Inquiries as the public form brings them, and people to work on them."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from collab import inquiries
from collab.accounts.actor import Actor
from collab.core.db import db, unit_of_work
from collab.departments.models import Department
from collab.departments.tracks import Track
from collab.inquiries import Inquiry, LinkKind, Submission, links

FIELDS: dict[Track, dict[str, Any]] = {
    Track.COOPERATION: {
        "organisation_type": "university",
        "cooperation_type": "joint_project",
        "title": "Two ligands compared under one protocol",
        "summary": "We label two ligands in-house and would like to compare their distribution with yours. " * 2,
    },
    Track.VISIT: {
        "visitor_type": "visiting_scholar",
        "preferred_start": "2027-05",
        "duration_weeks": 12,
        "purpose": "I want to learn how the group prepares and checks its tracers, and use it at home. " * 2,
        "funding_source": "home_institution",
    },
    Track.TRAINING: {
        "degree_status": "master_enrolled",
        "training_model": "sandwich",
        "preferred_start": "2027-09",
        "interest_statement": "My thesis is about targeting; the method I lack is in vitro binding at your site. " * 2,
        "funding_source": "csc",
    },
}
VISITOR = Actor(kind="visitor", network="192.0.2.0/24")


@pytest.fixture
def send(department: Department) -> Callable[..., str]:
    """`send("visit", country="TZ")` sends an inquiry, confirms its e-mail, and returns its reference."""

    def send(track: str = "cooperation", *, confirmed: bool = True, locale: str = "en", **given: Any) -> str:
        kind = Track(track)
        number = secrets.token_hex(3)
        fields = {
            "full_name": "Erika Mustermann",
            "email": f"erika.{number}@example.org",
            "institution_name": f"Example University {number}",
            "country": "DE",
            "area": "radiopharmaceuticals",
            "privacy_ack": True,
            **FIELDS[kind],
            **given,
        }
        with unit_of_work():
            inquiry = inquiries.submit(
                Submission(
                    department=db.session.get_one(Department, department.id),
                    track=kind,
                    locale=locale,
                    fields=fields,
                    submission_key=secrets.token_hex(16),
                    is_demo=True,
                ),
                by=VISITOR,
            )
            reference = inquiry.reference
            token = links.issue(inquiry, LinkKind.CONFIRM)
        if confirmed:
            with unit_of_work():
                inquiries.confirm(token, by=VISITOR)
        return reference

    return send


@pytest.fixture
def stored() -> Callable[[str], Inquiry]:
    """`stored(reference)`: the inquiry as it is in the database now."""

    def stored(reference: str) -> Inquiry:
        db.session.expire_all()
        return db.session.query(Inquiry).filter_by(reference=reference).one()

    return stored

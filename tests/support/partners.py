"""Inquiries made by the verbs, for tests whose subject comes after the form."""

import itertools
from io import BytesIO
from typing import TYPE_CHECKING, Any

from collab.core import tokens
from collab.core.db import unit_of_work
from tests.support.client import Client

if TYPE_CHECKING:
    from collab.accounts import Actor
    from collab.departments.models import Department
    from collab.inquiries import Inquiry

_numbers = itertools.count(1)
SHARED: dict[str, Any] = {
    "full_name": "Erika Mustermann",
    "institution_name": "Universitätsklinikum Beispielstadt",
    "country": "DE",
    "privacy_ack": True,
}
TRACKS: dict[str, dict[str, Any]] = {
    "cooperation": {
        "organisation_type": "university",
        "cooperation_type": "joint_project",
        "title": "Comparison of two ligands",
        "summary": "We label two ligands and would like to compare their distribution in your laboratory with ours.",
        "non_confidential_declaration": True,
    },
    "visit": {
        "visitor_type": "visiting_scholar",
        "preferred_start": "2027-09",
        "duration_weeks": 12,
        "purpose": "I would like to learn selection, planning and follow-up, and to write a protocol of ours.",
        "funding_source": "iaea",
        "adult_declaration": True,
    },
    "training": {
        "degree_status": "master_completed",
        "training_model": "cotutelle",
        "preferred_start": "2027-09",
        "interest_statement": "硕士已毕业，希望与贵科联合培养博士，想了解导师名额与考核要求。",
        "funding_source": "csc",
        "adult_declaration": True,
    },
}


def visitor() -> "Actor":
    """Somebody from outside."""
    from collab.accounts import Actor

    return Actor(kind="visitor", network="192.0.2.0/24")


def inquiry(
    department: "Department",
    track: str = "cooperation",
    *,
    confirmed: bool = True,
    locale: str = "en",
    **fields: Any,
) -> "Inquiry":
    """A new inquiry, confirmed unless told otherwise; each from an address of its own."""
    from collab import inquiries
    from collab.departments.tracks import Track
    from collab.inquiries import Submission, submission

    number = next(_numbers)
    given = SHARED | TRACKS[track] | {"email": f"partner-{number}@example.org"}
    given |= {"area": department.settings.areas[0].code} | fields
    with unit_of_work():
        made = inquiries.submit(
            Submission(
                department=department,
                track=Track(track),
                locale=locale,
                fields=given,
                submission_key=tokens.new_token(),
            ),
            by=visitor(),
        )
        if confirmed:
            submission.confirm_as_sender(made, by=visitor())
    return made


def open_page(client: Client, made: "Inquiry", *, lang: str = "en") -> None:
    """Open the partner's own page by a private link, as from a mail; the client keeps its session."""
    from collab.inquiries import LinkKind, links

    with unit_of_work():
        token = links.issue(made, LinkKind.PRIVATE)
    answer = client.fill(f"/{lang}/i/{token}")
    assert answer.status_code == 303, answer.text
    assert answer.location.endswith(f"/{lang}/my/{made.reference}")


def pdf(pages: int = 1) -> bytes:
    """A small PDF that opens."""
    from pypdf import PdfWriter

    writer, out = PdfWriter(), BytesIO()
    for _page in range(pages):
        writer.add_blank_page(width=200, height=200)
    writer.write(out)
    return out.getvalue()

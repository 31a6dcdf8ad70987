"""Forms as people fill them in, and the files they add."""

import re
from typing import Any

import sqlalchemy as sa

from collab import mail
from collab.core.db import db
from collab.inquiries import Inquiry
from tests.support.client import Client

COOPERATION: dict[str, Any] = {
    "full_name": "Erika Mustermann",
    "email": "e.mustermann@example.org",
    "institution_name": "Universitätsklinikum Beispielstadt",
    "country": "DE",
    "organisation_type": "university",
    "area": "radiopharmaceuticals",
    "cooperation_type": "joint_project",
    "title": "Comparison of two ligands",
    "summary": "We label two ligands and would like to compare their distribution in your laboratory with ours.",
    "non_confidential_declaration": True,
    "privacy_ack": True,
}
VISIT: dict[str, Any] = {
    "full_name": "Neema Mfano",
    "email": "neema.mfano@example.org",
    "institution_name": "Mfano National Hospital",
    "country": "TZ",
    "visitor_type": "visiting_scholar",
    "area": "thyroid_i131",
    "preferred_start": "2027-09",
    "duration_weeks": "12",
    "purpose": "I would like to learn patient selection, planning and follow-up, and to write a protocol of ours.",
    "funding_source": "iaea",
    "adult_declaration": True,
    "privacy_ack": True,
}
TRAINING: dict[str, Any] = {
    "full_name": "陈样本",
    "email": "chen.yangben@example.net",
    "institution_name": "示例医科大学",
    "country": "CN",
    "degree_status": "master_completed",
    "training_model": "cotutelle",
    "area": "radiopharmaceuticals",
    "preferred_start": "2027-09",
    "interest_statement": "硕士已毕业，研究方向为 ¹⁸F 标记。希望与贵科联合培养博士，想了解导师名额与考核要求。",
    "funding_source": "csc",
    "adult_declaration": True,
    "privacy_ack": True,
}
FORMS: dict[str, dict[str, Any]] = {"cooperation": COOPERATION, "visit": VISIT, "training": TRAINING}


def address(track: str, lang: str = "en") -> str:
    """Where a track's form stands."""
    return f"/{lang}/nuclear-medicine/inquire/{track}"


def pdf(pages: int = 1) -> bytes:
    """A small PDF that opens."""
    from io import BytesIO

    from pypdf import PdfWriter

    writer, out = PdfWriter(), BytesIO()
    for _page in range(pages):
        writer.add_blank_page(width=200, height=200)
    writer.write(out)
    return out.getvalue()


def links(inquiry_id: int, part: str) -> list[str]:
    """The paths of the links mailed for an inquiry, the newest last; ``part`` is ``confirm`` or ``i``."""
    db.session.rollback()  # what other processes wrote is seen by a new transaction only
    return [
        path
        for one in sorted(mail.of(("inquiry", inquiry_id)), key=lambda one: one.id)
        for path in paths(one.body_text, part)[
            :1
        ]  # the other language's half has its own address of the same link
    ]


def paths(text: str, part: str) -> list[str]:
    """The paths of the links in a mail, the reader's language first."""
    return re.findall(rf"http://[^\s/]+(/(?:en|zh)/{part}/[\w-]+)", text)


def draft_link() -> str:
    """The path of the newest link to a draft."""
    newest = db.session.scalars(
        sa.select(mail.OutboxMail).filter_by(topic="draft").order_by(mail.OutboxMail.id.desc())
    ).first()
    assert newest is not None
    return paths(newest.body_text, "draft")[0]


def received(client: Client, track: str = "cooperation", lang: str = "en", **changed: Any) -> Inquiry:
    """An inquiry sent and confirmed in a browser, whose private page is open there."""
    inquiry = sent(client, track, lang, **changed)
    answer = client.fill(links(inquiry.id, "confirm")[0])
    assert answer.status_code == 303, answer.text
    answer = client.fill(links(inquiry.id, "i")[-1])
    assert answer.status_code == 303, answer.text
    return again(inquiry.id)


def sent(client: Client, track: str = "cooperation", lang: str = "en", **changed: Any) -> Inquiry:
    """An inquiry sent and not confirmed."""
    answer = client.fill(address(track, lang), **{**FORMS[track], **changed})
    assert answer.status_code == 303, answer.text
    newest = db.session.scalars(sa.select(Inquiry).order_by(Inquiry.id.desc())).first()
    assert newest is not None
    return newest


def again(inquiry_id: int) -> Inquiry:
    """The inquiry as it is stored now."""
    db.session.rollback()
    return db.session.get_one(Inquiry, inquiry_id)


def number_of(model: type[Any]) -> int:
    """How many rows there are."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0

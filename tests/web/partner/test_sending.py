"""The form, from the first look to the private page."""

import pytest
import sqlalchemy as sa

from collab import files
from collab.core.db import db
from collab.departments import Department
from collab.inquiries import Inquiry, Status
from tests.support.client import Client
from tests.web.partner.sample import FORMS, address, links, pdf


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("track", list(FORMS))
def test_whole_way(client: Client, department: Department, track: str, lang: str) -> None:
    fields = FORMS[track]
    sent = client.fill(address(track, lang), **fields, _files={"attachment": ("note.pdf", pdf())})
    assert sent.status_code == 303, sent.text
    page = client.get(sent.location)
    inquiry = db.session.scalars(sa.select(Inquiry)).one()
    assert inquiry.status is Status.UNCONFIRMED
    assert inquiry.reference in page.text
    assert fields["email"] in page.text
    assert (inquiry.locale, inquiry.track) == (lang, track)
    assert [file.filename for file in files.of("inquiry", inquiry.id)] == ["note.pdf"]
    shared = {
        name: getattr(inquiry, name) for name in ("full_name", "email", "institution_name", "country", "area")
    }
    assert shared == {name: fields[name] for name in shared}
    expected = {
        name: int(value) if name == "duration_weeks" else value
        for name, value in fields.items()
        if name not in shared
    }
    del expected["privacy_ack"]
    assert inquiry.answers == expected

    (confirm,) = set(links(inquiry.id, "confirm"))
    received = client.fill(confirm, _follow=True)
    assert received.status_code == 200
    assert inquiry.reference in received.text
    assert db.session.get_one(Inquiry, inquiry.id).status is Status.RECEIVED

    opened = client.fill(links(inquiry.id, "i")[-1])
    assert opened.status_code == 303
    assert opened.location == f"/{lang}/my/{inquiry.reference}"
    mine = client.get(opened.location)
    assert mine.status_code == 200
    assert fields["full_name"] in mine.text
    assert mine.headers["Cache-Control"] == "private, no-store"
    assert mine.headers["Referrer-Policy"] == "no-referrer"

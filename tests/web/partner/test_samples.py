"""The sample inquiries: good ones pass the form, others are refused at the field that is wrong."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from collab.departments import Department
from collab.inquiries import Inquiry
from tests.support.client import Client
from tests.support.html import parse
from tests.web.partner.sample import address, again, number_of, pdf

SAMPLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "sample_inquiries.json").read_text("utf-8")
)["inquiries"]
#: What is wrong with the samples that no first contact may be: the fields with an error, or the stop page.
REFUSED: dict[str, set[str]] = {
    "C08": {"country", "summary"},  # no assigned code; a direction override in the text
    "V03": {"institution_name"},
    "V06": {"adult"},
    "V08": {"institution_name"},  # "-" says less than "none at present"
    "T10": {"privacy_ack"},
}
ASKED_LATER = {"orcid", "home_supervisor", "direction"}


@pytest.mark.one_database
@pytest.mark.parametrize("sample", SAMPLES, ids=[one["id"] for one in SAMPLES])
def test_sample(client: Client, department: Department, sample: dict[str, Any]) -> None:
    form = address(sample["track"], sample["locale"])
    names = client.form(form, form="inquiry").names
    fields = {
        name: ("y" if value is True else str(value))
        for name, value in sample.items()
        if name in names | ASKED_LATER and value not in (None, False, "")
    }
    attached = {"attachment": [(one["filename"], pdf()) for one in sample["attachments"]]}
    with time_machine.travel(datetime.fromisoformat(sample["submitted_at"]), tick=True):
        answer = client.fill(form, _forged=fields, _files=attached, _typing=timedelta(minutes=5))
    wrong = REFUSED.get(sample["id"])
    if wrong is None:
        assert answer.status_code == 303, answer.text
        inquiry = again(1)
        assert (inquiry.full_name, inquiry.email, inquiry.country) == (
            sample["full_name"],
            sample["email"].strip(),
            sample["country"],
        )
        assert ASKED_LATER.isdisjoint(inquiry.answers)
        assert inquiry.file_count == len(sample["attachments"])
        return
    assert answer.status_code == 422
    assert number_of(Inquiry) == 0
    if wrong == {"adult"}:
        assert 'name="back"' in answer.text
        return
    page = parse(answer.text)
    assert {
        one.get("id", "").removesuffix("-error") for one in page.iter("p") if one.get("class") == "err"
    } == wrong

"""Every field's wrong values: a message at the field, a 4xx, and everything typed still there."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from collab.core.db import unit_of_work
from collab.departments import Department
from collab.inquiries import Inquiry
from tests.support.client import Client
from tests.support.forms import forms_of
from tests.support.html import parse, text_of
from tests.web.partner.sample import FORMS, address, again, number_of

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
#: Invisible characters: a direction override, a null, a bell, an isolate, a zero-width space.
HIDDEN = ("a\u202eb" * 30, "a\x00b" * 30, "a\x07b" * 30, "a\u2066b" * 30, "a\u200bb" * 30)

SHARED: dict[str, tuple[Any, ...]] = {
    "full_name": ("", "   ", "x" * 121, *HIDDEN),
    "email": (
        "", "plain", "a@", "@b.org", "a b@example.org", "a@example.org, b@example.org", "a@example.org;b@example.org",
        "Name <a@example.org>", "a@example.org (comment)", '"a b"@example.org', "a@[127.0.0.1]", "a@example..org",
        "=?utf-8?q?a?=@example.org", "a@example.org\r\nBcc: b@example.org", "a@exa\u202emple.org", "a@localhost",
        "x" * 250 + "@example.org", "a@b@example.org",
    ),
    "institution_name": ("", "-", "x" * 201, *HIDDEN),
    "country": ("", "ZZ", "QO", "EU", "XK", "de", "DEU", "AN", "\x00", "💥"),
    "area": ("", "nothing", "RADIOPHARMACEUTICALS", "\x00"),
    "privacy_ack": (None, "false", "", "0", "no"),
    "institution_ror": ("04wxnsj80", "0lwxnsj81", "04wxnsj8", "x", "12345678901234567890"),
}  # fmt: skip
WRONG: dict[str, dict[str, tuple[Any, ...]]] = {
    "cooperation": {
        **SHARED,
        "organisation_type": (None, "", "club"),
        "cooperation_type": (None, "", "marriage"),
        "title": ("", "abcd", "x" * 151, *HIDDEN),
        "summary": ("", "x" * 49, "字" * 19, "x" * 2001, *HIDDEN),
        "needed_by": ("2026-11-23", "2020-01-01",
            "2029-11-24", "tomorrow", "31.12.2027", "2027-02-30", "9" * 50, "\x00"),
        "non_confidential_declaration": (None, "false"),
    },
    "visit": {
        "visitor_type": (None, "", "tourist"),
        "preferred_start": ("", "2026-10", "2028-12", "2027-13", "2027-00", "March 2027", "03/2027", "2027", "²⁰²⁷-03"),
        "duration_weeks": ("", "0", "53", "-1", "1.5", "many", "9" * 5000, "²", "\x00"),
        "purpose": ("", "x" * 49, "x" * 2001, *HIDDEN),
        "funding_source": (None, "", "lottery"),
    },
    "training": {
        "degree_status": (None, "", "school"),
        "training_model": (None, "", "apprentice"),
        "preferred_start": ("", "2026-10", "2029-12", "soon"),
        "interest_statement": ("", "x" * 79, "字" * 31, "x" * 2001, *HIDDEN),
        "funding_source": (None, "", "lottery"),
    },
}  # fmt: skip


@pytest.mark.one_database
@pytest.mark.parametrize(("track", "field"), [(track, field) for track in WRONG for field in WRONG[track]])
def test_wrong_values(client: Client, department: Department, track: str, field: str) -> None:
    with time_machine.travel(NOW, tick=True):
        for value in WRONG[track][field]:
            fields = {name: given for name, given in FORMS[track].items() if name != field}
            forged = {} if value is None else {field: value}
            answer = client.fill(address(track), **fields, **{field: None}, _forged=forged)
            assert answer.status_code == 422, (value, answer.status)
            page = parse(answer.text)
            if field == "institution_ror":
                (summary,) = [one for one in page.iter("section") if one.get("class") == "errors"]
                assert "identifier of the institution" in text_of(summary)
                continue
            (error,) = [one for one in page.iter("p") if one.get("id") == f"{field}-error"]
            assert len(text_of(error)) > len("Error: ")
            summary = [
                link.get("href", "")
                for link in page.iter("a")
                if link.get("href", "").startswith(f"#{field}")
            ]
            assert summary, f"{value!r}: the summary does not lead to {field}"
            (form,) = [one for one in forms_of(page) if one.multipart]
            kept = {name: form.value(name) for name in fields}
            expected = {name: "y" if given is True else given for name, given in fields.items()}
            assert kept == expected, value
    assert number_of(Inquiry) == 0


@pytest.mark.parametrize(
    ("track", "changed"),
    [
        ("cooperation", {"email": " E.Mustermann@Nuklear-Beispiel.example.org "}),
        ("cooperation", {"full_name": "سامر مثالي", "institution_name": "مستشفى المثال"}),
        ("cooperation", {"full_name": "X", "institution_name": "无业", "summary": "字" * 20}),
        (
            "cooperation",
            {
                "full_name": "x" * 120,
                "institution_name": "x" * 200,
                "title": "x" * 150,
                "summary": "x" * 2000,
            },
        ),
        ("cooperation", {"needed_by": "2029-11-23"}),
        ("cooperation", {"needed_by": "2026-11-24"}),
        ("cooperation", {"country": "TW", "area": "unsure"}),
        ("visit", {"preferred_start": "2026-11", "duration_weeks": "52"}),
        ("visit", {"preferred_start": "2028-11", "duration_weeks": "1"}),
        ("training", {"preferred_start": "2029-11"}),
    ],
)
@pytest.mark.one_database
def test_what_is_taken(client: Client, department: Department, track: str, changed: dict[str, str]) -> None:
    with time_machine.travel(NOW, tick=True):
        answer = client.fill(address(track), **{**FORMS[track], **changed})
    assert answer.status_code == 303, answer.text
    inquiry = again(1)
    kept = {name: getattr(inquiry, name, None) or inquiry.answers[name] for name in changed}
    assert kept == {
        name: int(value) if name == "duration_weeks" else value.strip() for name, value in changed.items()
    }
    assert inquiry.email_key == inquiry.email.casefold()


def test_the_longest_stay_of_a_capacity_is_named(client: Client, department: Department) -> None:
    with unit_of_work():
        content = copy.deepcopy(department.content)
        content["tracks"]["visit"]["visitor_types"][0]["max_weeks"] = 4
        department.content, department.content_digest = content, "changed by a test"
    answer = client.fill(
        address("visit"), **{**FORMS["visit"], "visitor_type": "observer", "duration_weeks": "5"}
    )
    assert answer.status_code == 422
    assert "The longest stay as “Observer” is 4 weeks." in answer.text


def test_a_start_that_is_soon_is_taken_with_a_friendly_word(client: Client, department: Department) -> None:
    with time_machine.travel(NOW, tick=True):
        answer = client.fill(
            address("visit"), **{**FORMS["visit"], "preferred_start": "2026-12"}, _follow=True
        )
        assert "usually takes 12 weeks" in answer.text
        later = client.fill(
            address("visit"), **{**FORMS["visit"], "preferred_start": "2027-03"}, _follow=True
        )
        assert "usually takes" not in later.text

"""The public page of how the department answers: real figures, no small ones, no samples, once a day."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.inquiries import Inquiry
from collab.jobs.figures import keep_sums
from tests.reports import known
from tests.support.client import Client
from tests.support.world import World


@pytest.fixture
def filled(department: Department) -> Iterator[Department]:
    with time_machine.travel(known.TODAY, tick=True):
        known.fill(department)
        keep_sums()
        yield department


def rows(page: Any) -> list[list[str]]:
    return [
        [" ".join("".join(cell.itertext()).split()) for cell in row]
        for row in page.iter()
        if str(row.tag).endswith("tr")
    ]


def said(page: Any) -> str:
    return " ".join(" ".join(page.itertext()).split())


def test_it_says_the_figures_worked_out_by_hand(client: Client, filled: Department) -> None:
    """``known``: 27 of September to November, and 32 and 33 of August, which were answered after a day each."""
    page = client.page("/en/nuclear-medicine/answers")
    text = said(page)
    assert "from Mon 1 Dec 2025 to Mon 23 Nov 2026" in text
    assert "inquiries received 29" in text
    # 24 answers: 0 three times, 1 seven times, 2 five times: the twelfth is 2; the 22nd is 6
    assert "for half of them 2 working days nine of ten within 6" in text
    assert "answered in time 81 %" in text  # 21 of 24, and 11 and 23 without an answer
    found = rows(page)
    # Cooperation 0 1 1 1 1 2 2 2 3 5 6 10, decisions 0 1 6 9 10 14 22 22; visits 8 and 8; training 4 and 2
    assert ["Cooperation", "2 working days", "9 days", "30 days"] in found
    assert ["Visit", "2 working days", "3 days", "30 days"] in found
    assert ["Training", "too few to say", "too few to say", "42 days"] in found
    # 1 4 6 13 14 27 28 33; 8; 3 26; 2 5 7 29 30 31; 9 10 11 12; 15 20 21 22 23 24 25 32
    assert found[-6:] == [
        ["Agreed, some of them on conditions", "8"],
        ["On the waiting list", "not shown"],
        ["Passed on to another office", "not shown"],
        ["Not possible", "6"],
        ["Withdrawn, or closed without a reply", "not shown"],
        ["Not decided yet", "8"],
    ]
    assert not re.search(r"Person \d|NM-2026|Institution \d", text)


def test_machines_are_told_what_is_shown_and_nothing_else(client: Client, filled: Department) -> None:
    text = client.get("/en/nuclear-medicine/answers").text
    graphs = [
        json.loads(one) for one in re.findall(r'<script type="application/ld\+json">(.*?)</script>', text)
    ]
    (data,) = [
        node for graph in graphs for node in graph["@graph"] if str(node.get("@id")).endswith("#figures")
    ]
    assert data["@type"] == "Dataset"
    assert data["temporalCoverage"] == "2025-12-01/2026-11-23"
    assert {one["name"]: one["value"] for one in data["variableMeasured"]} == {
        "Inquiries received": 29,
        "Working days to the first answer, median": 2,
        "First answers in time": 80.8,
        "Calendar days to the decision, median: Cooperation": 9,
        "Calendar days to the decision, median: Visit": 3,
        "Agreed, some of them on conditions": 8,
        "Not possible": 6,
        "Not decided yet": 8,
    }


def test_in_chinese(client: Client, filled: Department) -> None:
    text = said(client.page("/zh/nuclear-medicine/answers"))
    assert "我们的答复情况" in text
    assert "81%" in text
    assert "2 个工作日" in text
    assert "不显示" in text


@pytest.mark.parametrize("many", [0, 4])
def test_with_too_few_it_says_so_and_what_is_promised(client: Client, world: World, many: int) -> None:
    for _one in range(many):
        world.received()
    page = client.page("/en/nuclear-medicine/answers")
    text = said(page)
    assert "Fewer than five inquiries came in these twelve months" in text
    assert "A person answers every inquiry within 5 working days." in text
    assert "Training: a decision within 42 days." in text
    assert rows(page) == []
    assert "#figures" not in client.get("/en/nuclear-medicine/answers").text


def test_samples_never_count_not_even_in_a_demo(client: Client, filled: Department) -> None:
    with unit_of_work():
        db.session.execute(sa.update(Inquiry).values(is_demo=True))
        for one in db.session.scalars(sa.select(Inquiry)):
            one.is_demo, one.country = True, "XX"  # a change that is noted
        db.session.merge(filled).is_demo = True
    keep_sums()
    assert "Fewer than five" in said(client.page("/en/nuclear-medicine/answers"))


def test_it_changes_once_a_day(client: Client, filled: Department, app: Flask, world: World) -> None:
    address = "/en/nuclear-medicine/answers"
    assert "inquiries received 29" in said(client.page(address))
    world.received()
    keep_sums()
    app.extensions["collab.page_cache"].forget()
    assert "inquiries received 29" in said(client.page(address)), "nobody watches a single one come in"
    with time_machine.travel(known.TODAY + timedelta(days=1), tick=True):
        app.extensions["collab.page_cache"].forget()
        assert "inquiries received 30" in said(client.page(address))


def test_it_is_kept_for_everybody(client: Client, filled: Department) -> None:
    answer = client.get("/en/nuclear-medicine/answers")
    assert "public" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers
    for path in ("/en/nuclear-medicine/", "/en/nuclear-medicine/visit"):
        assert 'href="/en/nuclear-medicine/answers"' in client.get(path).text

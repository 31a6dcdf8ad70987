"""The queue, the first page, and what their pages cost."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.inquiries import Inquiry
from tests.support import html
from tests.support.people import Staff
from tests.support.reviewing import marks
from tests.support.statements import queries as asked
from tests.support.statements import statements
from tests.support.world import World

# What is raced for, or read by the database itself, is tried on both.
pytestmark = pytest.mark.both_databases

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def titles(member: Staff, path: str) -> list[str]:
    return [html.text_of(link) for link in member.page(path).iter("a") if link.get("class") == "t"]


def links(member: Staff, path: str) -> set[str]:
    return {link.get("href") or "" for link in member.page(path).iter("a")}


def test_a_new_installation_says_what_to_do(coordinator: Staff) -> None:
    text = html.text_of(coordinator.page("/staff/"))
    assert "No inquiry has come in yet" in text
    assert "collab demo" in text
    assert "/en/nuclear-medicine/inquire/cooperation" in links(coordinator, "/staff/")
    assert coordinator.get("/en/nuclear-medicine/inquire/cooperation").status_code == 200


def test_those_without_inquiries_are_told_so(staff: Callable[..., Staff]) -> None:
    member = staff("admin")
    assert "Your roles need no inquiries" in html.text_of(member.page("/staff/"))
    assert member.get("/staff/inquiries").status_code == 403


@pytest.mark.parametrize(("role", "path"), [("viewer", "/staff/reports"), ("compliance", "/staff/gates")])
def test_those_without_inquiries_are_led_to_their_own_page(
    staff: Callable[..., Staff], role: str, path: str
) -> None:
    member = staff(role)
    answer = member.get("/staff/")
    assert (answer.status_code, urlsplit(answer.location).path) == (303, path)
    assert member.get(path).status_code == 200
    assert member.get("/staff/inquiries").status_code == 403


def test_the_first_page_tells_what_waits(world: World, coordinator: Staff) -> None:
    world.received(title="A new proposal")
    world.submit(title="An unconfirmed one")
    late = world.received(title="A late one")
    with unit_of_work():
        world.get(late).due_at = clock.now() - timedelta(days=3)
    text = html.text_of(coordinator.page("/staff/"))
    for heading, title in (
        ("New, and news", "A new proposal"),
        ("not confirmed", "An unconfirmed one"),
        ("Late", "A late one"),
    ):
        assert heading in text
        assert title in text


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_every_pile_opens(world: World, staff: Callable[..., Staff], locale: str) -> None:
    for status in (
        "received",
        "needs_info",
        "in_review",
        "decision_ready",
        "waitlisted",
        "conditional",
        "declined",
    ):
        world.at(status)
    member = staff("coordinator", locale=locale)
    page = member.page("/staff/")
    side = next(nav for nav in page.iter("nav") if nav.get("class") == "side")
    for link in side.iter("a"):
        opened = member.page(link.get("href") or "")
        current = [
            one for one in opened.iter("a") if one.get("aria-current") == "page" and one.find("b") is not None
        ]
        assert {html.text_of(one) for one in current} == {html.text_of(link)}


def test_rows_that_are_kept_as_drawn_say_what_is_so_now(
    world: World, coordinator: Staff, staff: Callable[..., Staff]
) -> None:
    def row(member: Staff, path: str) -> tuple[str, bool]:
        (table,) = [one for one in member.page(path).iter("table") if "queue" in (one.get("class") or "")]
        (found,) = next(table.iter("tbody"))
        return html.text_of(found), any(True for _one in found.iter("input"))

    id = world.received(title="A proposal")
    text, ticked = row(coordinator, "/staff/inquiries?unread=1")
    assert all(said in text for said in ("A proposal", "Received", "nobody"))
    assert ticked
    # The same inquiry, for somebody else, elsewhere, in the other language.
    reader = staff("coordinator", locale="zh")
    assert "未读" in row(reader, "/staff/inquiries?unread=1")[0]
    assert "Add a tag" not in html.text_of(reader.page("/staff/inquiries?unread=1"))
    assert not row(coordinator, "/staff/")[1]
    for change, said in (
        ({"title": "Another <b>title</b>"}, "Another <b>title</b>"),
        ({"urgency": 2}, "Urgent"),
        ({"due_at": clock.now() - timedelta(days=3)}, "Late by"),
        ({"unread": False}, ""),
    ):
        with unit_of_work():
            for name, value in change.items():
                setattr(world.get(id), name, value)
        text, _ticked = row(coordinator, "/staff/inquiries")
        assert said in text
    assert "(unread)" not in text
    world.route(id)
    assert "Host" in row(coordinator, "/staff/inquiries")[0]


def test_the_address_holds_the_view_through_its_form_and_pages(world: World, coordinator: Staff) -> None:
    for number in range(27):
        world.received(title=f"Ligand {number}")
    answer = coordinator.fill(
        "/staff/inquiries", _form="view", status="received", country="DE", area="", q="ligand"
    )
    assert answer.status_code == 200
    older = next(one for one in html.parse(answer.text).iter("a") if one.get("rel") == "next")
    view = parse_qs(urlsplit(older.get("href") or "").query)
    assert {name: value for name, value in view.items() if name != "after"} == {
        "status": ["received"], "country": ["DE"], "q": ["ligand"],
    }  # fmt: skip
    second = coordinator.get(older.get("href") or "")
    assert len([one for one in html.parse(second.text).iter("a") if one.get("class") == "t"]) == 2
    first = next(one for one in html.parse(second.text).iter("a") if one.get("class") == "t")
    assert parse_qs(urlsplit(first.get("href") or "").query) == {
        "status": ["received"], "country": ["DE"], "q": ["ligand"],
    }  # fmt: skip
    inside = coordinator.page(first.get("href") or "")
    back = [
        one.get("href") or ""
        for one in inside.iter("a")
        if (one.get("href") or "").startswith("/staff/inquiries?")
    ]
    assert any("q=ligand" in one and "country=DE" in one for one in back)


@pytest.mark.parametrize(
    "query",
    [
        "status=everything", "track=x", "area=A%27", "country=XX1", "assigned=all", "late=2", "unread=yes",
        "sort=id", "after=zzz", "after=W10", "q=a%E2%80%AEb", "q=" + "x" * 201, "sort=due;--",
    ],
)  # fmt: skip
def test_what_no_view_has_is_a_bad_request(coordinator: Staff, query: str) -> None:
    assert coordinator.get(f"/staff/inquiries?{query}").status_code == 400


@pytest.mark.parametrize("query", ["page=7", "colour=red", "status=&track=&q=", "after="])
def test_what_is_unknown_or_empty_is_left_out(coordinator: Staff, query: str) -> None:
    assert coordinator.get(f"/staff/inquiries?{query}").status_code == 200


@pytest.mark.parametrize(
    "q",
    [
        "100%",
        "under_score",
        "\\",
        "(a+)+$",
        "'; DROP TABLE inquiry;--",
        '"open',
        "NEAR(",
        "*",
        "AND OR NOT",
        HOSTILE,
    ],
)
def test_a_search_takes_what_people_type(world: World, coordinator: Staff, q: str) -> None:
    world.received()
    answer = coordinator.get("/staff/inquiries", query_string={"q": q})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


def test_found_in_any_language(world: World, coordinator: Staff) -> None:
    world.received(
        title="分化型甲状腺癌随访研究",
        summary="我们希望开展多中心回顾性研究，并共享去标识化的影像数据以及随访结果。",
    )
    world.received(title="Étude des ligands", institution_name="Universität Zürich")
    assert titles(coordinator, "/staff/inquiries?q=甲状腺癌") == ["分化型甲状腺癌随访研究 (unread)"]
    assert titles(coordinator, "/staff/inquiries?q=zurich etude") == ["Étude des ligands (unread)"]
    assert titles(coordinator, "/staff/inquiries?q=Müller") == []


def test_late_ones_say_by_how_much(world: World, coordinator: Staff) -> None:
    id = world.received()
    with unit_of_work():
        world.get(id).due_at = clock.now() - timedelta(days=12)
    text = html.text_of(coordinator.page("/staff/inquiries?late=1"))
    assert "Late by" in text
    assert coordinator.page("/staff/inquiries?late=1&status=closed") is not None


def test_hostile_texts_are_inert_in_the_lists(world: World, coordinator: Staff) -> None:
    world.received(title=HOSTILE[:100], full_name=HOSTILE, institution_name=HOSTILE)
    for path in ("/staff/", "/staff/inquiries", "/staff/outbox"):
        text = coordinator.get(path).text
        assert "<script>alert" not in text
        assert "<img" not in text


def test_empty_piles_say_what_would_appear(world: World, coordinator: Staff) -> None:
    for status, words in (
        ("unconfirmed", "seven days"), ("void", "brought back"), ("decision_ready", "host and all reviewers"),
        ("needs_info", "clock stands still"), ("waitlisted", "come to this point"),
    ):  # fmt: skip
        assert words in html.text_of(coordinator.page(f"/staff/inquiries?status={status}"))
    assert "Nothing fits" in html.text_of(coordinator.page("/staff/inquiries?country=FR"))


# -- what a page costs -----------------------------------------------------------------------------------------------


def cost(member: Staff, path: str) -> int:
    with statements(db.engine) as found:
        assert member.get(path).status_code == 200
    return len(asked(found))


PAGES = [
    "/staff/",
    "/staff/inquiries",
    "/staff/inquiries?status=open",
    "/staff/inquiries?q=ligands",
    "/staff/inquiries?q=ligands&status=open&track=cooperation",
    "/staff/outbox",
]


@pytest.mark.parametrize("role", ["coordinator", "host"])
def test_a_list_costs_the_same_for_three_rows_and_for_thirty(
    world: World, staff: Callable[..., Staff], role: str
) -> None:
    member = staff(role)
    host = staff("host", signed_in=False).actor if role == "coordinator" else member.actor

    def more(number: int) -> None:
        for _one in range(number):
            world.route(world.received(), host)

    pages = PAGES if role == "coordinator" else PAGES[:-1]
    more(3)
    few = {path: cost(member, path) for path in pages}
    more(22)
    assert {path: cost(member, path) for path in pages} == few
    assert {path: number for path, number in few.items() if number > 8} == {}


def crowd(world: World, id: int, number: int, staff: Callable[..., Staff]) -> None:
    """Much of everything on one inquiry."""
    from collab import inquiries

    coordinator = world.actor("coordinator")
    for index in range(number):
        reviewer = world.actor("reviewer", name=f"Reviewer {index}")
        world.route(id, reviewer, kind="reviewer")
        world.do(inquiries.note, id, f"Note {index}", by=coordinator)
        world.do(inquiries.write, id, f"Letter {index}", by=coordinator)
    for _one in range(number // 3):
        world.answer(id)


def test_one_inquiry_costs_the_same_however_much_was_said(
    world: World, staff: Callable[..., Staff], at: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from collab.inquiries import conversation

    monkeypatch.setattr(conversation, "MESSAGES_A_DAY", 100)
    coordinator, head = staff("coordinator"), staff("head")
    few, many = at("in_review"), at("in_review")
    for address, number in ((few, 3), (many, 18)):
        crowd(world, _id(address), number, staff)
    for member in (coordinator, head):
        assert cost(member, few) == cost(member, many) <= 15


def test_an_inquiry_with_everything_costs_no_more_than_fifteen(
    world: World, staff: Callable[..., Staff], at: Callable[..., str]
) -> None:
    from collab import reviews
    from collab.inquiries import triage
    from collab.reviews import Recommendation

    member = staff("coordinator", "head")
    address = at("received", email="twice@example.org")
    id = _id(address)
    double = world.received(email="twice@example.org")
    by = world.actor("coordinator")
    with unit_of_work():
        triage.merge(world.get(double), into=world.get(id), by=by)
    world.received(email="twice@example.org")
    crowd(world, id, 0, staff)
    world.route(id)
    world.route(id, kind="reviewer")
    world.do(
        reviews.give_opinion,
        id,
        Recommendation.ACCEPT,
        because="Sound.",
        scores=marks(),
        by=world.actor("reviewer"),
    )
    world.host_says(id)
    world.answer(id)
    world.ready(id)
    world.decide(id, "conditional")
    assert cost(member, address) <= 15


def _id(address: str) -> int:
    return int(db.session.query(Inquiry.id).filter_by(reference=address.rpartition("/")[2]).scalar())


def test_reading_writes_nothing(world: World, at: Callable[..., str], coordinator: Staff) -> None:
    from tests.support.statements import changes

    address = at("received")
    with statements(db.engine) as found:
        for path in (
            "/staff/",
            "/staff/inquiries",
            address,
            f"{address}/ask",
            f"{address}/decline",
            "/staff/outbox",
        ):
            assert coordinator.get(path).status_code == 200
    assert changes(found) == []
    assert db.session.query(Inquiry.unread).scalar() is True

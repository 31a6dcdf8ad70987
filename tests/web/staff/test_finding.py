"""The search box: a line and the filter form are one view, what is not understood is said, views are kept."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from collab import accounts
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.desk.models import SavedView
from tests.support import html
from tests.support.people import Staff
from tests.support.statements import changes, statements
from tests.support.statements import queries as asked
from tests.support.world import World

pytestmark = pytest.mark.both_databases

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def titles(member: Staff, path: str) -> list[str]:
    return [html.text_of(link) for link in member.page(path).iter("a") if link.get("class") == "t"]


def held(member: Staff, path: str, form: str) -> dict[str, str]:
    found = member.form(path, form=form)
    return {name: found.value(name) or "" for name in found.names if found.value(name)}


def test_the_line_and_the_form_are_one_view(world: World, coordinator: Staff) -> None:
    world.received("visit", country="TZ", title="A visit")
    world.received(country="CN", title="Another")
    line = 'status:received -country:DE track:visit sent:<=7d "A visit"'
    path = f"/staff/inquiries?q={line.replace(' ', '+')}"
    assert titles(coordinator, path) == ["A visit (unread)"]
    # The form opens with what the line says, and what it sends is the same view and the same line.
    form = held(coordinator, path, "view")
    assert form == {
        "status": "received", "track": "visit", "country": "-DE", "sent": "<=7d", "q": '"A visit"',
    }  # fmt: skip
    answer = coordinator.fill(path, _form="view")
    box = next(one for one in html.parse(answer.text).iter("input") if one.get("id") == "q")
    assert box.get("value") == 'status:received track:visit -country:DE sent:<=7d "A visit"'
    # And changing the form rewrites the line.
    answer = coordinator.fill(path, _form="view", country="CN", track="", q="", sent="")
    box = next(one for one in html.parse(answer.text).iter("input") if one.get("id") == "q")
    assert box.get("value") == "status:received country:CN"
    assert "Another" in answer.text


def test_the_address_says_the_parts_so_that_links_stay_the_same(world: World, coordinator: Staff) -> None:
    world.received("visit", title="A visit")
    page = coordinator.page("/staff/inquiries?q=track:visit+late:yes+-country:CN,TZ+visit")
    links = [one.get("href") or "" for one in page.iter("a") if one.get("class") == "t"]
    assert links == []
    page = coordinator.page("/staff/inquiries?q=track:visit+-country:CN,TZ+visit")
    (link,) = [one.get("href") or "" for one in page.iter("a") if one.get("class") == "t"]
    assert parse_qs(urlsplit(link).query) == {"track": ["visit"], "country": ["-CN,-TZ"], "q": ["visit"]}
    assert titles(coordinator, f"/staff/inquiries?{urlsplit(link).query}") == ["A visit (unread)"]
    assert coordinator.get(link).status_code == 200


def test_what_is_not_understood_is_said_and_the_rest_is_shown(world: World, coordinator: Staff) -> None:
    world.received(title="Ligand")
    world.at("declined", title="Ligand declined")
    path = "/staff/inquiries?q=status:recieved,declined+countri:DE+ligand"
    page = coordinator.page(path)
    text = html.text_of(page)
    assert "at character 8:" in text
    assert "recieved" in text
    assert "There is no filter “countri”" in text
    box = next(one for one in page.iter("input") if one.get("id") == "q")
    assert box.get("value") == "status:recieved,declined countri:DE ligand"
    assert box.get("aria-invalid") == "true"
    assert titles(coordinator, path) == ["Ligand declined (unread)"] or titles(coordinator, path) == [
        "Ligand declined"
    ]
    assert "status:declined ligand" in text
    mended = {
        html.text_of(one): one.get("href") or "" for one in page.iter("a") if "q=" in (one.get("href") or "")
    }
    assert "status:received,declined countri:DE ligand" in parse_qs(urlsplit(mended["received"]).query)["q"]
    # What is not understood is no answer where nobody sees it.
    reference = world.get(world.received()).reference
    assert coordinator.get(f"/staff/inquiries/{reference}?q=countri:DE").status_code == 400


def test_chinese_lines_and_chinese_words(world: World, staff: Callable[..., Staff]) -> None:
    world.received(country="DE", title="Eins")
    member = staff("coordinator", locale="zh")
    assert len(titles(member, "/staff/inquiries?q=状态：已收到 国家：德国")) == 1
    page = member.page("/staff/inquiries?q=状态：已收倒")
    assert "received" in html.text_of(page)


def test_people_and_areas_by_name(world: World, coordinator: Staff, staff: Callable[..., Staff]) -> None:
    other = staff("coordinator", signed_in=False, name="Li Hua")
    id = world.received(title="Hers")
    with unit_of_work():
        world.get(id).coordinator_id = other.user_id
    assert titles(coordinator, '/staff/inquiries?q=assigned:"Li Hua"') == ["Hers (unread)"]
    page = coordinator.page(f"/staff/inquiries?assigned={other.user_id}")
    box = next(one for one in page.iter("input") if one.get("id") == "q")
    assert box.get("value") == 'assigned:"Li Hua"'


@pytest.mark.parametrize("q", ["x" * 601, "x" * 201, "a\u202eb", "a\x00b", 'institution:"' + "x" * 250 + '"'])
def test_a34_what_no_line_is_is_a_bad_request(coordinator: Staff, q: str) -> None:
    assert coordinator.get("/staff/inquiries", query_string={"q": q}).status_code == 400
    if len(q) > 600 or not q.isprintable():
        assert coordinator.get("/staff/inquiries/complete", query_string={"q": q}).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "due=soon",
        "sent=overdue",
        "has=tag",
        "answered=1",
        "urgency=3",
        "lang=de",
        "tag=a b",
        "country=DE,-CN",
        "sort=old",
        "status=-",
        "due=2026-02-30",
    ],
)
def test_a34_parts_that_no_view_has_are_a_bad_request(coordinator: Staff, query: str) -> None:
    assert coordinator.get(f"/staff/inquiries?{query}").status_code == 400


@pytest.mark.parametrize(
    "q",
    [
        HOSTILE,
        f"status:{HOSTILE}",
        f"{HOSTILE}:x",
        "a'b:1",
        "assigned:' OR 1=1--",
        "(a+)+$:x",
        "country:%_\\",
        "institution:'%",
    ],
)
def test_a29_a55_hostile_lines_are_inert(world: World, coordinator: Staff, q: str) -> None:
    world.received()
    answer = coordinator.get("/staff/inquiries", query_string={"q": q})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    completed = coordinator.get("/staff/inquiries/complete", query_string={"q": q})
    assert completed.status_code == 200
    assert completed.mimetype == "application/json"


def completions(member: Staff, q: str) -> list[str]:
    answer = member.get("/staff/inquiries/complete", query_string={"q": q})
    assert answer.status_code == 200
    return [one["text"] for one in answer.json["items"]]  # type: ignore[index]


def test_completion(world: World, coordinator: Staff) -> None:
    world.received(institution_name="Universität Zürich")
    assert completions(coordinator, "stat")[0] == "status:"
    assert completions(coordinator, "status:rec") == ["received"]
    assert completions(coordinator, "institution:zur") == ['"Universität Zürich"']
    assert completions(coordinator, "assigned:n") == ["nobody"]
    answer = coordinator.get("/staff/inquiries/complete", query_string={"q": "𠀀 status:rec"})
    assert answer.json["items"][0]["start"] == 10  # type: ignore[index]  # as scripts count


def test_a62_completion_tells_of_nobody_and_nothing_beyond_the_own(
    world: World, staff: Callable[..., Staff], tmp_path: object
) -> None:
    from pathlib import Path

    from tests.support.world import other_department

    elsewhere = World(other_department(Path(str(tmp_path)) / "another"))
    elsewhere.actor("coordinator", name="Stranger Danger")
    elsewhere.received(institution_name="Strange Institute")
    world.received(institution_name="Own Institute")
    closed = world.received(institution_name="Closed Institute")
    coordinator, host = staff("coordinator", name="Own Coordinator"), staff("host", name="Own Host")
    world.do(
        __import__("collab.inquiries.triage", fromlist=["x"]).declare_conflict, closed, by=coordinator.actor
    )
    assert completions(coordinator, "assigned:str") == []
    assert completions(coordinator, "assigned:own") == ['"Own Coordinator"', '"Own Host"']
    assert completions(coordinator, "institution:institute") == ['"Own Institute"']
    assert completions(coordinator, "institution:i") == []  # one letter would list them
    assert completions(host, "assigned:own") == []
    assert completions(host, "institution:institute") == []
    viewer = staff("viewer")
    assert viewer.get("/staff/inquiries/complete?q=status:").status_code == 403


# -- saved views -----------------------------------------------------------------------------------------------------


def left(member: Staff, path: str = "/staff/inquiries") -> dict[str, str]:
    side = next(nav for nav in member.page(path).iter("nav") if nav.get("class") == "side")
    return {
        html.text_of(one): one.get("href") or ""
        for one in side.iter("a")
        if "/staff/views" in (one.get("href") or "") or "q=" in (one.get("href") or "")
    }


def test_a_view_is_kept_opened_renamed_shared_and_deleted(
    world: World, coordinator: Staff, staff: Callable[..., Staff]
) -> None:
    world.received("visit", title="A visit")
    host = staff("host")
    assert left(coordinator) == {}
    answer = coordinator.fill("/staff/inquiries?track=visit&country=-CN", _form="save", name="Visits <b>")
    assert answer.status_code == 303
    links = left(coordinator)
    assert list(links) == ["Visits <b>", "All views"]
    assert titles(coordinator, links["Visits <b>"]) == ["A visit (unread)"]
    current = [
        one for one in coordinator.page(links["Visits <b>"]).iter("a") if one.get("aria-current") == "page"
    ]
    assert "Visits <b>" in {html.text_of(one) for one in current}
    home = html.text_of(coordinator.page("/staff/"))
    assert "Visits <b> mine 1" in home
    view = db.session.query(SavedView).one()
    address = f"/staff/views/{view.id}"
    assert (
        coordinator.fill(
            f"{address}/change", _form="change", name="All visits", name_zh="来访", query="track:visit"
        ).status_code
        == 303
    )
    assert coordinator.fill("/staff/views", _form=f"{view.id}/share").status_code == 303
    assert list(left(host)) == ["All visits", "All views"]
    assert host.get(f"{address}/change").status_code == 403
    assert list(left(staff("coordinator", locale="zh", name="王"))) == ["来访", "全部视图"]
    assert coordinator.fill("/staff/views", _form=f"{view.id}/start").status_code == 303
    assert coordinator.get(f"{address}/delete").status_code == 200
    assert db.session.query(SavedView).count() == 1  # it asked first
    assert coordinator.fill(f"{address}/delete", _form="delete").status_code == 303
    assert left(coordinator) == left(host) == {}


def test_signing_in_leads_to_the_chosen_view(world: World, staff: Callable[..., Staff]) -> None:
    member = staff("coordinator")
    member.fill("/staff/inquiries?track=visit", _form="save", name="Visits")
    assert member.get("/staff/sign-in").headers["Location"].endswith("/staff/")
    view = db.session.query(SavedView).one()
    member.fill("/staff/views", _form=f"{view.id}/start")
    assert member.get("/staff/sign-in").headers["Location"].endswith("/staff/inquiries?q=track:visit")
    member.fill("/staff/views", _form="views/start")
    assert member.get("/staff/sign-in").headers["Location"].endswith("/staff/")


def test_a_view_of_something_that_is_gone_says_so(world: World, coordinator: Staff) -> None:
    world.received(title="Here")
    with unit_of_work():
        db.session.add(
            SavedView(
                owner_id=coordinator.user_id,
                name="Gone",
                query="area:gone_area status:open",
                created_at=clock.now(),
            )
        )
    assert "not understood any more" in html.text_of(coordinator.page("/staff/"))
    assert "gone_area" in html.text_of(coordinator.page("/staff/views"))
    link = left(coordinator)["Gone"]
    assert titles(coordinator, link) == ["Here (unread)"]
    assert "gone_area" in html.text_of(coordinator.page(link))
    answer = coordinator.fill(
        f"/staff/views/{db.session.query(SavedView.id).scalar()}/change", _form="change"
    )
    assert answer.status_code == 422


def test_a07_fields_nobody_offered_change_nothing(
    world: World, coordinator: Staff, staff: Callable[..., Staff]
) -> None:
    other = staff("coordinator", name="Other")
    forged = {"owner_id": str(other.user_id), "position": "99", "id": "77", "query": "status:open"}
    coordinator.fill("/staff/inquiries?track=visit", _form="save", name="V", _forged=forged)
    view = db.session.query(SavedView).one()
    assert (view.owner_id, view.department_id, view.query) == (coordinator.user_id, None, "status:open")
    answer = coordinator.fill(
        "/staff/inquiries?track=visit", _form="save", name="V", _forged={"department_id": "4711"}
    )
    assert answer.status_code == 422
    host = staff("host")
    answer = host.fill(
        "/staff/inquiries?track=visit",
        _form="save",
        name="V",
        _forged={"department_id": str(world.department_id)},
    )
    assert answer.status_code == 422
    assert db.session.query(SavedView).count() == 1


def test_a01_nobody_acts_on_the_views_of_others(
    world: World, coordinator: Staff, staff: Callable[..., Staff]
) -> None:
    coordinator.fill("/staff/inquiries?track=visit", _form="save", name="Mine")
    id = db.session.query(SavedView.id).scalar()
    other = staff("coordinator", name="Other")
    token = {
        "csrf_token": other.form("/staff/inquiries?track=visit", form="save").value("csrf_token") or "",
        "version": "1",
        "department_id": str(world.department_id),
        "name": "x",
        "query": "status:open",
    }
    for act in ("change", "delete", "share", "unshare", "up", "down", "start"):
        assert other.post(f"/staff/views/{id}/{act}", data=token).status_code == 404, act
        assert other.post(f"/staff/views/{id + 1000}/{act}", data=token).status_code == 404, act
    assert coordinator.post(f"/staff/views/{id}/share", data={**token, "csrf_token": "x"}).status_code == 400
    assert [
        one.name("en")
        for one in __import__("collab.desk.views", fromlist=["x"]).kept(accounts.actor_of(coordinator.user))
    ] == ["Mine"]


# -- what it costs ---------------------------------------------------------------------------------------------------


def cost(member: Staff, path: str) -> int:
    with statements(db.engine) as found:
        assert member.get(path).status_code == 200
    assert changes(found) == []
    return len(asked(found))


def test_pages_with_views_and_lines_cost_the_same_however_much_there_is(
    world: World, coordinator: Staff
) -> None:
    paths = [
        "/staff/inquiries?q=status:open",
        "/staff/inquiries?q=status:open -country:DE has:file",
        "/staff/inquiries?q=due:<=30d country:DE ligand",
        "/staff/inquiries?q=sent:<=30d",
        "/staff/inquiries?q=assigned:me institution:uni",
        "/staff/views",
        "/staff/",
    ]

    def more(number: int) -> None:
        for _one in range(number):
            world.received()
        with unit_of_work():
            for index in range(number):
                db.session.add(
                    SavedView(
                        owner_id=coordinator.user_id,
                        name=f"V {index}",
                        query=("status:open", "-country:DE", "ligand", "has:file")[index % 4],
                        created_at=world.get(1).submitted_at,
                    )
                )

    more(8)  # so many views are counted; each that searches for words by itself
    few = {path: cost(coordinator, path) for path in paths}
    more(24)
    assert {path: cost(coordinator, path) for path in paths} == few
    assert {path: number for path, number in few.items() if "inquiries" in path and number > 8} == {}

"""The page of interests and that of reviewers: what is sent, what is refused, and where one goes on."""

from collections.abc import Callable

import pytest

from collab import audit
from collab.core.db import db, unit_of_work
from collab.inquiries import interests
from collab.inquiries.models import Conflict, Declaration
from tests.support import html
from tests.support.people import Staff
from tests.support.statements import queries, statements
from tests.support.world import World

NO = dict.fromkeys(interests.QUESTIONS, "no")


def test_the_head_declares_and_goes_on_to_decide(
    world: World, at: Callable[..., str], staff: Callable[..., Staff]
) -> None:
    address = at("decision_ready")
    head = staff("head")
    answer = head.get(f"{address}/decide")
    assert (answer.status_code, answer.location) == (303, f"{address}/interest?then=decide")
    answer = head.fill(answer.location, _form="interest", **NO)
    assert (answer.status_code, answer.location) == (303, f"{address}/decide")
    assert head.get(f"{address}/decide").status_code == 200


@pytest.mark.parametrize("then", ["//evil.example", "https://evil.example", "sign_out", "../x", "erase"])
def test_a35_where_it_goes_on_is_ours(at: Callable[..., str], staff: Callable[..., Staff], then: str) -> None:
    address = at("decision_ready")
    answer = staff("head").fill(f"{address}/interest?then={then}", _form="interest", **NO)
    assert answer.location == address


def test_a_yes_leads_home_and_says_nothing_of_it(world: World, staff: Callable[..., Staff]) -> None:
    host, id = staff("host"), world.received(title="A title of its own")
    world.route(id, host.actor, declared=False)
    address = f"/staff/inquiries/{world.get(id).reference}"
    answer = host.fill(f"{address}/interest", _form="interest", **{**NO, "dispute": "yes"})
    assert (answer.status_code, answer.location) == (303, "/staff/")
    home = host.get("/staff/").text
    assert "The inquiry is closed to you" in home
    assert world.get(id).reference not in home
    assert host.get(f"{address}/interest").status_code == 404
    assert db.session.get(Conflict, (id, host.user_id)) is not None
    assert [one.action for one in db.session.query(audit.AuditEvent)].count("inquiry.conflict") == 1


def test_a07_and_a56_nothing_but_the_answers_counts(world: World, staff: Callable[..., Staff]) -> None:
    host, other, id = staff("host"), staff("host"), world.received()
    world.route(id, host.actor, declared=False)
    address = f"/staff/inquiries/{world.get(id).reference}/interest"
    token = host.form(address, form="interest").value("csrf_token")
    for sent in ({**NO}, {**NO, "csrf_token": "forged"}):
        assert host.post(address, data=sent).status_code == 400
    bad = host.post(address, data={"csrf_token": token, **NO, "family": "maybe"})
    assert bad.status_code == 422
    assert db.session.query(Declaration).count() == 0
    forged = {"user_id": str(other.user_id), "clean": "1", "inquiry_id": "1", "declared_at": "2020-01-01"}
    assert host.fill(address, _form="interest", _forged=forged, **NO).status_code == 303
    (kept,) = db.session.query(Declaration)
    assert (kept.user_id, kept.inquiry_id, kept.clean) == (host.user_id, id, True)
    assert kept.declared_at.year > 2020
    assert other.get(address).status_code == 404


def test_who_opens_the_route_page_sees_whom_the_portal_suspects(world: World, coordinator: Staff) -> None:
    person = world.actor("host", name="Near Host")
    with unit_of_work():
        world.user(person).email = "near@uni.example"
    id = world.received(email="anna@uni.example")
    address = f"/staff/inquiries/{world.get(id).reference}/route"
    page = coordinator.get(address).text
    assert "an e-mail address at the same place (uni.example)" in page
    refused = coordinator.fill(address, _form="step", kind="host", person=str(person.user_id))
    assert refused.status_code == 422
    assert "Near Host may have a conflict of interest" in refused.text
    done = coordinator.fill(address, _form="step", kind="host", person=str(person.user_id), despite=True)
    assert done.status_code == 303
    assert "a possible conflict of interest was judged to be none" in coordinator.get(done.location).text


def test_two_reviewers_are_asked_on_one_page(
    world: World, coordinator: Staff, staff: Callable[..., Staff], head: Staff
) -> None:
    one, two = (world.actor("reviewer", name=name) for name in ("One", "Two"))
    id = world.received()
    address = f"/staff/inquiries/{world.get(id).reference}/reviewers"
    assert coordinator.get(address).status_code == 409  # with no host yet
    world.route(id)
    token = coordinator.form(address, form="step").value("csrf_token")
    data = {
        "csrf_token": token,
        "version": str(world.get(id).version),
        "due_on": world.today.replace(year=world.today.year + 1).isoformat(),
        "people": [str(one.user_id), str(two.user_id)],
    }
    for wrong in (["x"], ["-1"], ["1" * 30], ["99999"], [str(one.user_id)] * 2):
        answer = coordinator.post(address, data={**data, "people": wrong})
        assert answer.status_code in {404, 422}, wrong
    assert coordinator.post(address, data=data).status_code == 422  # more than 120 days ahead
    data["due_on"] = world.today.isoformat()
    assert head.post(address, data=data).status_code in {400, 403}
    assert coordinator.post(address, data=data).status_code == 303
    assert [a.kind.value for a in world.get(id).assignments] == ["host", "reviewer", "reviewer"]
    again = coordinator.post(address, data=data)
    assert again.status_code in {409, 422}
    page = coordinator.get(address).text
    assert "Asked already" in page
    assert "/replace/" in page


def test_what_is_wrong_with_the_choice_is_said_where_the_summary_leads(
    world: World, coordinator: Staff
) -> None:
    person = world.actor("reviewer", name="Near Reader")
    with unit_of_work():
        world.user(person).email = "near@uni.example"
    id = world.received(email="anna@uni.example")
    world.route(id)
    address = f"/staff/inquiries/{world.get(id).reference}/reviewers"
    form = coordinator.form(address, form="step")
    data = {name: form.value(name) for name in ("csrf_token", "version", "due_on")}
    for people, field in (([], "people"), ([str(person.user_id)], "judged")):
        answer = coordinator.post(address, data={**data, "people": people})
        assert answer.status_code == 422
        page = html.parse(answer.text)
        ids = {one.get("id"): one for one in page.iter() if one.get("id")}
        assert f'href="#{field}"' in answer.text
        assert ids[field].get("tabindex") == "-1"
        assert ids["people"].get("aria-describedby") == f"{field}-error"
        assert html.text_of(ids[f"{field}-error"]).startswith("Error: ")


def test_the_page_of_reviewers_costs_the_same_for_many(world: World, coordinator: Staff) -> None:
    id = world.received()
    world.route(id)
    address = f"/staff/inquiries/{world.get(id).reference}/reviewers"
    counts = []
    for more in (2, 12):
        for number in range(more):
            world.actor("reviewer", name=f"R {more}-{number}")
        coordinator.get(address)
        with statements(db.engine) as found:
            coordinator.get(address)
        counts.append(len(queries(found)))
    assert counts[0] == counts[1] <= 16, counts


def test_areas_on_the_page_of_a_person(world: World, staff: Callable[..., Staff]) -> None:
    admin, person = staff("admin"), staff("reviewer", signed_in=False)
    slug = world.department.slug
    codes = [area.code for area in world.department.settings.areas if area.kind != "open"]
    address = f"/staff/settings/people/{slug}/{person.user_id}"
    answer = admin.fill(address, _form="areas-form", areas=codes[:2])
    assert answer.status_code == 303
    assert person.user.areas_in(world.department_id) == set(codes[:2])
    token = admin.form("/staff/account", form="myself").value("csrf_token")
    admin.post(f"{address}/areas", data={"csrf_token": token, "areas": ["nonsense"]})
    assert person.user.areas_in(world.department_id) == set(codes[:2])
    host = staff("host")
    assert host.post(f"{address}/areas", data={"csrf_token": token, "areas": codes[:1]}).status_code in {
        400,
        403,
    }

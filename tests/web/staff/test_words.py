"""Tags, names in notes and text modules on the staff's pages: who may, what is refused, what goes out."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from collab.accounts import Membership, Role
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.desk import wordings
from collab.desk.models import WordingVersion
from collab.inquiries import Note, tags
from collab.inquiries.models import Mention, Message, Tag
from collab.mail import OutboxMail
from tests.support import html
from tests.support.people import Staff
from tests.support.statements import queries, statements
from tests.support.world import World, other_department
from tests.web.staff.test_inquiry import stored

At = Callable[..., str]
Make = Callable[..., Staff]
SETTINGS = "/staff/settings"
AT_ONCE = timedelta()


def put(world: World, address: str, *names: str) -> None:
    by = world.actor("coordinator")
    for name in names:
        with unit_of_work():
            tags.put(stored(address), name, by=by, new=True)


@pytest.mark.one_database
def test_the_page_of_one_tag_counts_the_tags_once(at: At, world: World, staff: Make) -> None:
    put(world, at("received"), "Grant 2026", "Loan")
    head = staff("head")
    tag = db.session.scalars(sa.select(Tag).filter_by(name="Loan")).one()
    path = f"{SETTINGS}/tags/{tag.id}"
    head.page(path)
    with statements(db.engine) as found:
        page = html.text_of(head.page(path))
    assert "on 1 inquiry" in page
    assert "Grant 2026" in page
    assert len([one for one in queries(found) if "count(*)" in one and "inquiry_tag" in one]) == 1


def mails(topic: str) -> list[OutboxMail]:
    return list(db.session.scalars(sa.select(OutboxMail).filter_by(topic=topic).order_by(OutboxMail.id)))


# -- tags ------------------------------------------------------------------------------------------------------------


def test_a_tag_goes_on_and_off_on_the_inquirys_page(at: At, coordinator: Staff) -> None:
    address = at("received")
    answer = coordinator.fill(address, tag="随访", _form="/tags")
    assert answer.status_code == 422
    assert "There is no tag “随访” yet" in html.text_of(html.parse(answer.text))
    answer = coordinator.answer(answer, _button="make")
    assert answer.status_code == 303
    page = coordinator.page(address)
    assert "Take off the tag 随访" in html.text_of(page)
    assert "Tag put on: 随访" in html.text_of(page)
    row = html.text_of(coordinator.page("/staff/inquiries?tag=随访"))
    assert stored(address).reference in row
    (form,) = (one for one in page.iter("form") if (one.get("action") or "").endswith("/off"))
    assert coordinator.fill(address, _form=form.get("action")).status_code == 303
    assert "Take off the tag" not in html.text_of(coordinator.page(address))


def test_the_queue_shows_and_finds_tags(world: World, at: At, coordinator: Staff) -> None:
    one, other = at("received"), at("received")
    put(world, one, "Follow up", "Industry")
    put(world, other, "Industry")
    references = [stored(address).reference for address in (one, other)]

    def found(query: str) -> list[str]:
        text = coordinator.get(f"/staff/inquiries?{query}").text
        return [reference for reference in references if f"{reference}</span>" in text]

    assert found("tag=follow-up") == references[:1]
    assert found("tag=industry") == references
    assert found("tag=industry&sort=due") == references
    assert found("tag=nobody-has-this") == []
    with unit_of_work():
        tag = db.session.query(Tag).filter_by(slug="follow-up").one()
        tags.rename(tag, "Call again", seen="Follow up", by=coordinator.actor)
    assert found("tag=follow-up") == found("tag=call-again") == references[:1]
    assert coordinator.get("/staff/inquiries?tag=%3Cscript%3E").status_code == 400


def test_hosts_and_reviewers_read_them_and_change_none(world: World, at: At, staff: Make) -> None:
    host, address = staff("host"), at("received")
    put(world, address, "Follow up")
    id = stored(address).id
    world.route(id, host.actor)
    world.declare(id, host.actor)
    text = host.get(address).text
    assert "Follow up" in text
    assert "Take off the tag" not in text
    token = {"csrf_token": host.form(address, form="/note").value("csrf_token"), "tag": "Mine", "make": "1"}
    assert host.post(f"{address}/tags", data=token).status_code == 403
    assert host.post(f"{address}/tags/1/off", data=token).status_code == 403
    assert host.get(f"{SETTINGS}/tags").status_code == 403
    assert [tag.name for tag in db.session.query(Tag)] == ["Follow up"]


def test_a09_the_partner_sees_no_tag_and_no_name(
    world: World, at: At, staff: Make, partner: Callable[..., Any]
) -> None:
    head = staff("head", name="Hidden Colleague", signed_in=False)
    address, member = at("received"), staff("coordinator")
    put(world, address, "SECRETTAG")
    assert member.fill(address, note="@Hidden Colleague SECRETNOTE", _form="/note").status_code == 303
    assert mails("S-mention")[-1].to_address == head.email
    visitor = partner(stored(address))
    for path in ("", "/data"):
        page = visitor.get(f"/en/my/{stored(address).reference}{path}").text
        assert not re.search("SECRET|Hidden Colleague", page), path
    for mail in db.session.scalars(sa.select(OutboxMail).filter_by(reader="partner")):
        assert not re.search("SECRET|Hidden", f"{mail.subject}{mail.body_text}{mail.body_html}")


def test_the_settings_page_adds_renames_merges_and_retires(world: World, at: At, staff: Make) -> None:
    head = staff("head")
    page = f"{SETTINGS}/tags"
    assert "There are no tags yet" in html.text_of(head.page(page))
    assert head.fill(page, name="Follow up", _form="/nuclear-medicine").status_code == 303
    again = head.fill(page, name="follow-up", _form="/nuclear-medicine")
    assert again.status_code == 422
    assert "There is a tag of this name already" in again.text
    head.fill(page, name="Industry", _form="/nuclear-medicine")
    address = at("received")
    put(world, address, "Follow up")
    first, second = (
        db.session.query(Tag).filter_by(slug=slug).one().id for slug in ("follow-up", "industry")
    )
    opened = head.get(f"{page}/{first}")
    assert (
        head.fill(f"{page}/{first}", name="Call again", _form="name-form", _typing=AT_ONCE).status_code == 303
    )
    late = head.answer(opened, name="Something else", _form="name-form")
    assert late.status_code == 409
    assert "renamed this tag to “Call again”" in late.text
    assert "Something else" in late.text
    assert head.fill(f"{page}/{first}", into=str(second), _form="/merge").status_code == 303
    assert "Take off the tag Industry" in head.get(address).text
    assert head.get(f"{page}/{first}").status_code == 404
    assert head.fill(f"{page}/{second}", _form="/retire").status_code == 303
    assert "retired" in html.text_of(head.page(page))
    assert "Take off the tag Industry" in head.get(address).text
    assert head.fill(f"{page}/{second}", _form="/back").status_code == 303


def test_with_two_departments_each_label_leads_to_its_own_field(staff: Make, tmp_path: Any) -> None:
    head, other = staff("head"), other_department(tmp_path / "other")
    with unit_of_work():
        db.session.add(Membership(user_id=head.user_id, department_id=other.id, role=Role.HEAD))

    def of(page: Any) -> tuple[set[str | None], set[str | None]]:
        fields = {one.get("id") for one in page.iter("input") if one.get("name") == "name"}
        return fields, {one.get("for") for one in page.iter("label")}

    expected = {"name-nuclear-medicine", f"name-{other.slug}"}
    fields, labels = of(head.page(f"{SETTINGS}/tags"))
    assert fields == expected <= labels
    answer = head.fill(f"{SETTINGS}/tags", name=" ", _form=f"/{other.slug}")
    assert answer.status_code == 422
    assert f'href="#name-{other.slug}"' in answer.text
    assert of(html.parse(answer.text))[0] == expected


def test_a01_the_tags_of_another_department_are_not_there(
    world: World, at: At, staff: Make, tmp_path: Any, coordinator: Staff
) -> None:
    other = other_department(tmp_path / "other")
    theirs = world.actor("coordinator", name="Theirs", department_id=other.id)
    with unit_of_work():
        tag_id = tags.add(other, "Theirs alone", by=theirs).id
    assert "Theirs alone" not in coordinator.get(f"{SETTINGS}/tags").text
    assert "Theirs alone" not in coordinator.get(at("received")).text
    token = {"csrf_token": coordinator.form(f"{SETTINGS}/tags", form="/nuclear-medicine").value("csrf_token")}
    missing = coordinator.get(f"{SETTINGS}/tags/99999")
    for path, more in (
        ("", {"name": "x", "seen": "Theirs alone"}),
        ("/merge", {"into": "1"}),
        ("/retire", {}),
    ):
        assert coordinator.post(f"{SETTINGS}/tags/{tag_id}{path}", data={**token, **more}).status_code == 404
    assert coordinator.get(f"{SETTINGS}/tags/{tag_id}").status_code == missing.status_code == 404
    assert coordinator.post(f"{SETTINGS}/tags/another", data={**token, "name": "Ours"}).status_code == 404
    assert coordinator.get(f"{SETTINGS}/wordings/another/decline_under_18").status_code == 404
    assert [tag.name for tag in db.session.query(Tag)] == ["Theirs alone"]


@pytest.mark.parametrize("role", ["host", "reviewer", "viewer", "compliance"])
def test_a04_the_settings_are_closed_to_other_roles(department: Department, staff: Make, role: str) -> None:
    member = staff(role)
    for path in ("tags", "tags/1", "wordings", f"wordings/{department.slug}/decline_under_18",
                 f"wordings/{department.slug}/new/decline"):  # fmt: skip
        assert member.get(f"{SETTINGS}/{path}").status_code == 403, path


# -- names in notes --------------------------------------------------------------------------------------------------


def test_who_is_named_is_told_at_once_and_not_what_it_says(world: World, at: At, staff: Make) -> None:
    li, other = staff("head", name="李娜", locale="zh"), staff("head", name="Ola Other", signed_in=False)
    address, writer = at("received"), staff("coordinator", name="Chen Wei")
    answer = writer.fill(address, note="@李娜请看：SECRET。mail me@Ola Other", _form="/note")
    assert answer.status_code == 303
    (mail,) = mails("S-mention")
    reference = stored(address).reference
    assert mail.to_address == li.email
    assert mail.subject == "【门户】您有 1 项待办"
    assert reference in mail.body_text
    assert "Chen Wei" in mail.body_text
    assert "SECRET" not in mail.body_text + mail.subject + (mail.body_html or "")
    assert stored(address).full_name not in mail.body_text
    (note,) = db.session.query(Note)
    assert f"/staff/inquiries/{reference}#note-{note.id}" in mail.body_text
    home = li.page("/staff/")
    assert "SECRET" in html.text_of(home)
    assert "SECRET" not in html.text_of(other_home(other))
    assert li.fill("/staff/", _form="/mentions/read").status_code == 303
    assert "SECRET" not in html.text_of(li.page("/staff/"))


def other_home(member: Staff) -> Any:
    member.sign_in()
    return member.page("/staff/")


def test_somebody_chosen_without_a_name_in_the_text_is_told(at: At, staff: Make) -> None:
    li, address, writer = staff("head", name="Li Na"), at("received"), staff("coordinator")
    assert writer.fill(address, note="Look.", tell=[str(li.user_id)], _form="/note").status_code == 303
    assert "Told: Li Na" in html.text_of(writer.page(address))
    assert [mail.to_address for mail in mails("S-mention")] == [li.email]
    # An answer is as good as having read it.
    assert li.fill(address, note="I looked.", _form="/note").status_code == 303
    assert all(one.read_at for one in db.session.query(Mention))


@pytest.mark.parametrize("why", ["host", "viewer", "conflict", "undeclared"])
def test_who_may_not_see_it_is_not_named_and_the_text_is_kept(
    world: World, at: At, staff: Make, why: str
) -> None:
    role = {"conflict": "head", "undeclared": "host"}.get(why, why)
    person, address, writer = staff(role, name="Li Na"), at("received"), staff("coordinator")
    staff("head", name="Somebody Else", signed_in=False)  # else nobody could be chosen at all
    id = stored(address).id
    if why == "conflict":
        world.declare(id, person.actor, yes=["work"])
    if why == "undeclared":
        world.route(id, person.actor)
        db.session.execute(sa.text("DELETE FROM declaration"))
        db.session.commit()
    before = len(mails("S-mention"))
    answer = writer.fill(address, note="Ask @Li Na, my long text", _form="/note")
    assert answer.status_code == 422
    text = html.text_of(html.parse(answer.text))
    assert "Li Na may not see this inquiry" in text
    assert "Ask @Li Na, my long text" in text
    forged = writer.fill(address, note="Another way", _form="/note", _forged={"tell": str(person.user_id)})
    assert forged.status_code == 422
    assert "may not see this inquiry any more" in forged.text
    assert db.session.query(Note).count() == 0
    assert len(mails("S-mention")) == before
    assert "Li Na" not in (
        writer.form(address, form="/note").choices("tell") if writer_offers(writer, address) else []
    )


def writer_offers(writer: Staff, address: str) -> bool:
    return "tell" in writer.form(address, form="/note").names


def test_what_closes_later_leaves_the_start_page(world: World, at: At, staff: Make) -> None:
    li, address, writer = staff("head", name="Li Na"), at("received"), staff("coordinator")
    writer.fill(address, note="@Li Na SECRET", _form="/note")
    assert "SECRET" in li.get("/staff/").text
    world.declare(stored(address).id, li.actor, yes=["work"])
    assert "SECRET" not in li.get("/staff/").text
    token = {"csrf_token": li.form("/staff/account", form="myself").value("csrf_token")}
    assert li.post(f"{address}/mentions/read", data=token).status_code == 404


def test_two_of_one_name_are_told_apart(at: At, staff: Make) -> None:
    one, _two = staff("head", name="Li Na"), staff("head", name="Li Na")
    address, writer = at("received"), staff("coordinator")
    answer = writer.fill(address, note="@Li Na", _form="/note")
    assert answer.status_code == 422
    assert "More than one person is called Li Na" in answer.text
    assert writer.answer(answer, tell=[str(one.user_id)]).status_code == 303
    assert [mail.to_address for mail in mails("S-mention")] == [one.email]


def test_a10_a_note_is_written_once_and_by_its_author(at: At, coordinator: Staff, head: Staff) -> None:
    address = at("received")
    coordinator.fill(address, note="Mine", _form="/note")
    id = db.session.query(Note).one().id
    token = {"csrf_token": head.form(address, form="/note").value("csrf_token"), "note": "Yours", "note_id": str(id),
             "author_id": "1", "id": str(id)}  # fmt: skip
    assert head.post(f"{address}/note", data={**token, "version": stored(address).version}).status_code == 303
    assert [(note.body, note.author_id) for note in db.session.query(Note).order_by(Note.id)] == [
        ("Mine", coordinator.user_id), ("Yours", head.user_id),
    ]  # fmt: skip
    for path in (f"/note/{id}", f"/notes/{id}", f"/note/{id}/delete"):
        assert head.post(f"{address}{path}", data=token).status_code == 404


# -- text modules ----------------------------------------------------------------------------------------------------


def test_a_reason_brings_its_letter_in_the_partners_language_first(at: At, coordinator: Staff) -> None:
    address = at("received", locale="zh")
    answer = coordinator.fill(f"{address}/decline", reason="lead_time_short", _button="preview")
    letter = coordinator.answer  # the page that came back is the preview
    form = html.parse(answer.text)
    text = next(one for one in form.iter("textarea") if one.get("name") == "letter").text or ""
    assert text.strip().startswith(f"{stored(address).full_name}：您好！")
    assert "准备时间" in text
    assert text.index("您好") < text.index("Dear ")
    assert letter(answer, _button="send").status_code == 303
    (kept,) = db.session.query(Message).filter_by(kind="decline")
    assert "准备时间" in kept.body


def test_the_address_chooses_a_module_and_what_it_is_for(at: At, coordinator: Staff) -> None:
    address = at("received")
    form = coordinator.form(f"{address}/decline?wording=decline_language_level", form="facts")
    assert form.value("wording") == "decline_language_level"
    form = coordinator.form(f"{address}/decline?wording=decline_under_18", form="facts")
    assert (form.value("wording"), form.value("reason")) == ("decline_under_18", "under_18")
    gone = coordinator.get(f"{address}/ask?wording=no_such")
    assert "This text module is not offered any more" in gone.text


def test_another_module_makes_a_new_draft_and_what_was_written_is_shown(at: At, coordinator: Staff) -> None:
    address = at("received")
    first = coordinator.fill(f"{address}/decline", reason="out_of_scope", _button="preview")
    second = coordinator.answer(first, letter="My own words.", wording="decline_incomplete", _button="use")
    assert second.status_code == 200
    text = html.text_of(html.parse(second.text))
    assert "My own words." in text
    assert "Important information is missing." in text
    assert db.session.query(Message).count() == 0
    third = coordinator.answer(second, letter="And mine again.", _button="send")
    assert third.status_code == 303
    assert db.session.query(Message).one().body == "And mine again."


def test_a_module_that_cannot_be_used_says_so_and_gives_no_half_letter(
    world: World, at: At, coordinator: Staff, department: Department
) -> None:
    by = world.actor("head")
    with unit_of_work():
        wordings.change(
            department,
            "decline_out_of_scope",
            wordings.Content(
                wordings.WordingStep.DECLINE, None, "A", "一", "Dear {full_name}", "{full_name}您好"
            ),
            seen=1,
            by=by,
        )
    with unit_of_work():
        db.session.execute(sa.update(WordingVersion).values(body_zh="{gone}您好"))
    answer = coordinator.fill(
        f"{at('received')}/decline", reason="incomplete", wording="decline_out_of_scope", _button="preview"
    )
    text = html.text_of(html.parse(answer.text))
    assert "cannot be used: There is no placeholder {gone} here" in text
    assert "We cannot offer this now" in text  # the standard letter instead
    question = f"{at('received', locale='zh')}/ask"
    with unit_of_work():
        wordings.change(
            department,
            "ask_aims",
            wordings.Content(wordings.WordingStep.ASK, None, "Aims", "目标", "Why?", "为何？{answer_by}"),
            seen=1,
            by=by,
        )
        db.session.execute(
            sa.update(WordingVersion).where(WordingVersion.title_zh == "目标").values(body_zh="{x}")
        )
    page = coordinator.get(f"{question}?wording=ask_aims")
    assert "There is no placeholder {x} here" in page.text
    assert coordinator.form(question, form="step").value("question") in {"", None}


def test_a_question_does_not_name_another_day_than_it_is_due(
    world: World, at: At, coordinator: Staff, department: Department
) -> None:
    by = world.actor("head")
    with unit_of_work():
        wordings.change(
            department,
            "ask_aims",
            wordings.Content(
                wordings.WordingStep.ASK,
                None,
                "Aims",
                "目标",
                "Please tell us by {answer_by}.",
                "请于{answer_by}前告知。",
            ),
            seen=1,
            by=by,
        )
    address = at("received")
    page = coordinator.get(f"{address}/ask?wording=ask_aims")
    assert "Please tell us by " in page.text
    moved = (world.today + timedelta(days=9)).isoformat()
    answer = coordinator.answer(page, answer_by=moved, _button="Send the question")
    assert answer.status_code == 422
    assert "The text still says" in answer.text
    assert (
        coordinator.answer(answer, question="Please tell us soon.", _button="Send the question").status_code
        == 303
    )


def test_a_module_is_made_changed_and_retired_on_its_page(department: Department, staff: Make) -> None:
    head = staff("head")
    page = f"{SETTINGS}/wordings/{department.slug}"
    given = {
        "title_en": "In short",
        "title_zh": "简短",
        "body_en": "No, {full_nam}.",
        "body_zh": "{full_name}，抱歉。",
    }
    answer = head.fill(f"{page}/new/decline", reason="incomplete", **given)
    assert answer.status_code == 422
    assert "There is no placeholder {full_nam} here." in answer.text
    assert "{full_name}，抱歉。" in answer.text
    assert head.answer(answer, body_en="No, {full_name}.").status_code == 303
    code = next(one.code for one in wordings.modules(department) if one.title.en == "In short")
    opened = head.get(f"{page}/{code}")
    assert (
        head.fill(
            f"{page}/{code}", body_en="No, dear {full_name}.", _form="wording", _typing=AT_ONCE
        ).status_code
        == 303
    )
    late = head.answer(opened, body_en="Mine instead.", _form="wording")
    assert late.status_code == 409
    text = html.text_of(html.parse(late.text))
    assert "No, dear {full_name}." in text
    assert "Mine instead." in text
    assert head.answer(late, _form="wording").status_code == 303
    assert [one.number for one in wordings.versions(department, code)] == [3, 2, 1]
    assert head.fill(f"{page}/{code}", _form="/retire").status_code == 303
    assert code not in [one.code for one in wordings.modules(department)]
    assert head.fill(f"{page}/{code}", _form="/back").status_code == 303


@pytest.mark.parametrize("field", ["body_en", "title_zh"])
def test_a29_what_staff_write_is_text(at: At, department: Department, staff: Make, field: str) -> None:
    head = staff("head", "coordinator")
    given = {"title_en": "Hostile", "title_zh": "恶意", "body_en": "Text", "body_zh": "文本",
             field: "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"}  # fmt: skip
    page = f"{SETTINGS}/wordings/{department.slug}/new/letter"
    assert head.fill(page, **given).status_code == 303
    code = next(one.code for one in wordings.modules(department) if one.title.en == "Hostile")
    for path in (f"{SETTINGS}/wordings", f"{SETTINGS}/wordings/{department.slug}/{code}",
                 f"{at('received')}/letter?wording={code}"):  # fmt: skip
        assert "<script>alert(1)" not in head.get(path).text
        assert "<img src=x" not in head.get(path).text


# -- what it costs ---------------------------------------------------------------------------------------------------


def test_the_pages_cost_the_same_with_many_tags_and_notes(world: World, at: At, staff: Make) -> None:
    member, address = staff("coordinator", "head"), at("received")

    def cost(path: str) -> int:
        member.get(path)
        with statements(db.engine) as found:
            assert member.get(path).status_code == 200
        return len(queries(found))

    paths = (address, "/staff/inquiries", "/staff/", f"{SETTINGS}/tags", f"{address}/ask")
    put(world, address, "One")
    put(world, at("received"), "One")
    writer = staff("head")
    writer.fill(address, note=f"@{member.user.name}", _form="/note")
    before = [cost(path) for path in paths]
    for number in range(8):
        put(world, address, f"Tag {number}")
        put(world, at("received"), f"Tag {number}", "One")
        other = staff("head", name=f"Head Number {number}", signed_in=False)
        writer.fill(address, note=f"@{other.user.name} and @{member.user.name}", _form="/note")
    assert [cost(path) for path in paths] == before
    assert before[1] <= 8, before


def test_a_form_without_a_text_takes_no_module(at: Callable[..., str], staff: Callable[..., Staff]) -> None:
    coordinator, address = staff("coordinator"), at("received")
    token = coordinator.form(f"{address}/own", form="step").value("csrf_token")
    sent = {"csrf_token": token, "use": "1"}
    asked = coordinator.post(f"{address}/own", data=sent, headers={"Accept": "application/json"})
    assert asked.status_code == 400

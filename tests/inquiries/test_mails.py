"""The mails to partners and staff: subjects as in domain.md B.5, nothing private in them, links at our address."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine

from collab import inquiries, mail, privacy, reviews
from collab.core.db import unit_of_work
from collab.departments.tracks import Track
from collab.inquiries import moving, triage
from collab.jobs.inquiries import turn_clocks
from collab.mail import OutboxMail
from tests.support.world import MONDAY, World

#: Typed by the partner, and never in a subject.
TYPED = {
    "full_name": "Perpetua Zwickenpflug",
    "institution_name": "Institut Zwickenstein",
    "title": "Zwicken of ligands",
    "summary": "Zwickensummary of what we would like to do with you. " * 3,
}
#: B.5, English; {ref} is the reference.
EN = {
    "M1": r"Please confirm your e-mail \({ref}\)",
    "M2": r"We have received your inquiry {ref}",
    "M2b": r"Thank you - we continue with {ref}",
    "M3": r"{ref}: we need a little more from you by Wed 2 Dec 2026",
    "M3r1": r"Reminder: {ref} waits for your answer",
    "M3r2": r"Reminder: {ref} waits for your answer",
    "M3r3": r"Reminder: {ref} waits for your answer",
    "M4": r"{ref}: now with the Basic scientific research group",
    "M4d": r"{ref}: we are late - new date Tue 17 Nov 2026",
    "M5": r"{ref}: the department agrees - next steps",
    "M6": r"{ref}: agreed on conditions",
    "M7": r"{ref}: on the waiting list for spring 2027",
    "M8": r"{ref}: another office can help you better",
    "M9": r"{ref}: our decision",
    "M10": r"{ref}: we joined your two messages",
    "M11": r"{ref}: closed for now - reply to reopen",
    "M12": r"{ref}: a place is free - are you still interested\?",
    "M12r1": r"Reminder: {ref} waits for your answer",
    "M12r2": r"Reminder: {ref} waits for your answer",
    "M13": r"{ref}: withdrawn as you asked",
    "M14": r"Your data for {ref} have been deleted",
}
#: B.5, Chinese.
ZH = {
    "M1": r"请确认您的邮箱（{ref}）",
    "M2": r"我们已收到您的来函（{ref}）",
    "M2b": r"已收到您的补充，继续处理（{ref}）",
    "M3": r"{ref}：请于 ?2026年12月2日（周三） ?前补充以下信息",
    "M3r1": r"提醒：{ref} 等待您的回复",
    "M3r2": r"提醒：{ref} 等待您的回复",
    "M3r3": r"提醒：{ref} 等待您的回复",
    "M4": r"{ref}：已转交.+方向评估",
    "M4d": r"{ref}：处理延迟，预计 ?2026年11月17日（周二） ?前答复",
    "M5": r"{ref}：科室同意接收——后续步骤",
    "M6": r"{ref}：有条件同意",
    "M7": r"{ref}：已列入 ?spring 2027 ?候补名单",
    "M8": r"{ref}：建议联系以下部门",
    "M9": r"{ref}：审核结果通知",
    "M10": r"{ref}：已合并您的两次来函",
    "M11": r"{ref}：暂时关闭，回复即可重新开启",
    "M12": r"{ref}：现有名额，您是否仍有意向？",
    "M12r1": r"提醒：{ref} 等待您的回复",
    "M12r2": r"提醒：{ref} 等待您的回复",
    "M13": r"{ref}：已按您的要求撤回",
    "M14": r"您的个人信息已删除（{ref}）",
}
_LINE = "-" * 40


@pytest.fixture(autouse=True)
def _monday() -> Iterator[None]:
    with time_machine.travel(MONDAY, tick=False):
        yield


def every_mail(world: World, locale: str) -> dict[str, OutboxMail]:
    """One mail to the partner of each topic, by the steps that send them."""
    given: dict[str, Any] = {**TYPED, "locale": locale}
    with unit_of_work():
        draft = inquiries.save_draft(
            world.department,
            Track.COOPERATION,
            locale=locale,
            email="partner@example.org",
            data=dict(TYPED),
            submission_key="a-key-of-a-draft",
            claim_token=None,
            by=world.visitor,
        )
        drafts = mail.of(("draft", draft.id))
    ends = ("accepted", "conditional", "waitlisted", "referred", "declined", "lapsed", "withdrawn")
    ids = [world.at(status, **given) for status in ends]
    world.do(reviews.place_free, ids[2], by=world.actor("coordinator"))
    asked, late = world.at("needs_info", **given), world.at("received", **given)
    for day in (7, 8, 14, 21):
        with time_machine.travel(MONDAY + timedelta(days=day, minutes=5), tick=False):
            turn_clocks()
    world.answer(asked)
    world.do(inquiries.write, asked, "Dear partner, here is our letter.", by=world.actor("coordinator"))
    world.do(triage.renew_link, asked, by=world.actor("coordinator"))
    twin = world.received(**given, email=world.get(late).email)
    world.do(
        lambda one, **kw: triage.merge(one, into=world.get(late), **kw), twin, by=world.actor("coordinator")
    )
    erased = world.at("withdrawn", **given)
    subjects = {one.topic: one for one in drafts}
    for id in (late, *ids, asked, twin, erased):
        subjects = {one.topic: one for one in reversed(world.mails(id, "partner"))} | subjects
    world.do(privacy.erase, erased, by=world.actor("coordinator"))
    return subjects | {one.topic: one for one in world.mails(erased)}


@pytest.mark.one_database
@pytest.mark.parametrize(("locale", "subjects"), [("en", EN), ("zh", ZH)])
@pytest.mark.settings(base_url="https://collab.example.org", password_memory_kib=19456)
def test_every_mail_to_a_partner(world: World, locale: str, subjects: dict[str, str]) -> None:
    mails = every_mail(world, locale)
    assert set(mails) == {*subjects, "draft", "letter", "link"}
    for topic, one in mails.items():
        reference = re.search(rf"{world.department.code}-2026-\d{{4}}", one.subject)
        if topic in subjects:
            assert reference is not None
            assert re.fullmatch(subjects[topic].format(ref=reference[0]), one.subject), one.subject
        assert "wicken" not in one.subject
        assert (one.locale, one.reader) == (locale, "partner")
        assert "wicken" not in re.sub("Zwickenpflug", "", one.body_text), "only the name may stand in a body"
        if topic in {"M1", "M2", "draft", "M14"}:  # a relay for nobody
            assert "wicken" not in one.body_text + str(one.body_html) + str(one.to_name)
        if topic not in {"M5", "M6", "M7", "M8", "M9"}:  # these are as staff released them
            first, second = one.body_text.split(f"\n\n{_LINE}\n\n")
            chinese, english = (first, second) if locale == "zh" else (second, first)
            assert re.search("[\u4e00-\u9fff]", chinese)
            assert len(re.findall("[\u4e00-\u9fff]", english.replace("《", ""))) == 0, (topic, english)
            for lang, half in (
                ("en", english),
                ("zh", chinese),
            ):  # each half's link opens a page in its language
                assert {f"/{lang}/"} >= set(re.findall("/(?:en|zh)/(?=confirm/|i/|draft/)", half)), (
                    topic,
                    half,
                )
        links = re.findall(r"https?://\S+", one.body_text)
        assert all(urlsplit(link).netloc in {"collab.example.org", "example.org"} for link in links)
        tokens = [link for link in links if re.search("/(confirm|i|draft)/", link)]
        assert bool(tokens) == (topic != "M14")
        assert all(f"/{locale}/" in link for link in tokens[:1])  # the reader's language comes first
        for link in tokens:
            kind = {"M1": "confirm", "draft": "draft"}.get(topic, "i")
            secret = link.rpartition("/")[2]
            assert re.fullmatch(f"https://collab.example.org/(en|zh)/{kind}/{secret}", link)
            assert one.secrets == [secret]
            assert len(secret) == 43
        assert one.body_html is not None
        assert not re.search(
            r"<(script|img|link|iframe|object|form)|javascript:|url\(|@import|\son\w+=", one.body_html
        )
        for link in links:
            assert f'href="{link}"' in one.body_html


@pytest.mark.parametrize("step", ["accept", "conditions", "waitlist", "refer", "decline"])
@pytest.mark.parametrize("locale", ["en", "zh"])
def test_the_draft_of_a_letter_is_in_both_languages_the_partners_first(
    world: World, step: str, locale: str
) -> None:
    verdicts = {"conditions": "conditional"}
    inquiry = world.get(world.at("decision_ready", locale=locale))
    facts = world.facts(verdicts.get(step, step)).for_letter()
    draft = inquiries.notices.draft_letter(inquiry, inquiries.Step(step), **facts)
    first, second = draft.split(f"\n\n{_LINE}\n\n")
    assert bool(re.search("[\u4e00-\u9fff]", first)) == (locale == "zh")
    assert bool(re.search("[\u4e00-\u9fff]", second)) == (locale == "en")
    for part in (first, second):
        assert inquiry.reference in part
        for fact in ("office", "contact", "period"):
            assert facts[fact] in part
        for text, _due in facts["conditions"]:
            assert text in part
    if facts["reason"] is not None:
        assert "%(" not in draft
        from flask_babel import force_locale

        with force_locale("en"):
            assert str(facts["reason"].sentence) in draft


@pytest.mark.parametrize("office", ["", {"en": "Radiology", "zh": "放射科"}])
@pytest.mark.parametrize("locale", ["en", "zh"])
def test_what_asks_for_consent_stands_in_the_mail_of_a_question(
    world: World, locale: str, office: Any
) -> None:
    id = world.received(locale=locale)
    draft = inquiries.notices.draft_consent(world.get(id), office=office, to_track="visit", with_file=False)
    assert bool(re.search("[\u4e00-\u9fff]", draft)) == (locale == "zh")
    assert _LINE not in draft
    world.do(
        moving.ask_consent,
        id,
        to=world.department,
        track=Track.VISIT,
        area=world.department.settings.areas[0].code,
        with_file=False,
        letter=draft,
        answer_by=world.today + timedelta(days=14),
        by=world.actor("coordinator"),
    )
    first = world.mails(id, "partner")[-1].body_text.split(f"\n\n{_LINE}\n\n")[0]
    assert draft in first
    assert first.count(world.get(id).full_name) == 1  # one greeting
    assert first.count(world.department.name(locale)) == 1  # one signature


@pytest.mark.one_database
@pytest.mark.settings(base_url="https://collab.example.org", password_memory_kib=19456)
@pytest.mark.parametrize("locale", ["en", "zh"])
def test_every_mail_to_staff(world: World, locale: str) -> None:
    people = [world.actor(role, locale=locale) for role in ("coordinator", "head", "host", "reviewer")]
    id = world.received(**TYPED)
    world.route(id, people[2], note="Please look.")
    world.route(id, people[3], kind="reviewer")
    world.ask(id)
    world.answer(id)
    with time_machine.travel(MONDAY + timedelta(days=12), tick=False):
        turn_clocks()  # due soon
    world.host_says(id, "yes", people[2])
    world.do(triage.declare_conflict, id, by=people[3])
    with time_machine.travel(MONDAY + timedelta(days=28), tick=False):
        turn_clocks()  # overdue
    world.ready(id)
    world.do(inquiries.ask_for_erasure, id, by=world.visitor)
    mails = world.mails(id, "staff")
    assert {one.topic for one in mails} == {"S1", "S2", "S3", "S4"}
    addresses = {world.user(person).email for person in people}
    subject = {"en": r"\[Portal\] (1 item waits|[2-9] items wait) for you", "zh": r"【门户】您有 \d 项待办"}
    for one in mails:
        assert re.fullmatch(subject[locale], one.subject), one.subject
        assert one.to_address in addresses
        assert one.locale == locale
        text = one.body_text + one.subject
        assert "wicken" not in text, "nothing the partner typed leaves the portal"
        pages = (f"inquiries/{world.get(id).reference}", "gates")
        assert any(f"https://collab.example.org/staff/{page}" in one.body_text for page in pages)
        chinese = re.search("[\u4e00-\u9fff]", one.body_text) is not None
        assert chinese == (locale == "zh"), one.body_text
        assert one.secrets == []


def test_mails_of_one_inquiry_are_a_thread(world: World) -> None:
    id = world.at("needs_info")
    first, *later = world.mails(id, "partner")
    assert (first.in_reply_to, first.references) == (None, [])
    assert [one.in_reply_to for one in later] == [first.message_id] * len(later)
    assert len({one.message_id for one in (first, *later)}) == len(later) + 1


def test_a_question_is_in_the_mail_as_it_was_written_and_inert(world: World) -> None:
    id = world.received(locale="zh")
    evil = (
        "<b>Which</b> ligands?\n\n{{ 7*7 }} %(reference)s javascript:alert(1) https://example.org/a?b=1&c=2"
    )
    coordinator = world.actor("coordinator")
    world.do(triage.ask, id, evil, answer_by=world.today + timedelta(days=3), by=coordinator)
    one = world.mails(id, "partner")[-1]
    assert evil in one.body_text
    assert one.body_html is not None
    assert "&lt;b&gt;Which&lt;/b&gt; ligands?" in one.body_html
    assert "{{ 7*7 }} %(reference)s javascript:alert(1)" in one.body_html
    assert 'href="https://example.org/a?b=1&amp;c=2"' in one.body_html

"""The whole way of a cooperation: profile, inquiry, triage, host, question, decision; mails from a real server."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.people import (
    confirm,
    declare,
    fill,
    hold_is_over,
    inquiry_page,
    mail_about,
    own_page,
    press,
    sign_in,
    status,
    step,
    step_with_letter,
)
from tests.support.browser import fits
from tests.support.interests import declare_none
from tests.support.partners import pdf
from tests.support.people import Staff
from tests.support.server import Server
from tests.support.smtp import Smtp

ADDRESS = "lin.ceshi@example.net"


@pytest.mark.parametrize("hand", ["desktop", pytest.param("phone", marks=pytest.mark.phone)])
def test_a_cooperation_from_the_profile_to_the_decision(
    hand: str,
    page: Page,
    smtp: Smtp,
    server: Server,
    staff: Callable[..., Staff],
    open_context: Callable[..., BrowserContext],
    axe: Callable[[Page], None],
) -> None:
    server.start_worker()
    coordinator = staff("coordinator", name="Chen Coordinator", signed_in=False)
    host = staff("host", name="Hua Host", signed_in=False)
    head = staff("head", name="He Head", signed_in=False)

    # The partner reads the profile in Chinese and goes through the door of cooperation.
    page.goto("/zh/nuclear-medicine/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.goto("/zh/nuclear-medicine/facilities")
    expect(page.locator("main")).to_contain_text("回旋加速器")
    page.goto("/zh/nuclear-medicine/cooperate")
    page.locator("main a[href$='/inquire/cooperation']").first.click()
    axe(page)
    fits(page)

    # The form, with a PDF; one wrong field first: everything typed and the file survive.
    answers = {
        "full_name": "林测试",
        "email": ADDRESS,
        "institution_name": "示例市第一人民医院",
        "country": "CN",
        "organisation_type": "hospital",
        "area": "radiopharmaceuticals",
        "cooperation_type": "joint_project",
        "title": "两种受体配体的临床前比较",
        "summary": "我们标记了两种受体配体，希望在贵科动物实验室比较体内分布，双方共同发表结果。",
        "attachment": {"name": "concept note.pdf", "mimeType": "application/pdf", "buffer": pdf()},
        "non_confidential_declaration": True,
    }
    fill(page, **answers)
    page.wait_for_timeout(2200)
    press(page, form="form#inquiry")
    expect(page.locator("#privacy_ack-error, [id$=privacy_ack-error]").first).to_be_visible()
    expect(page.locator("[name=summary]")).to_have_value(answers["summary"])
    expect(page.locator("form#inquiry")).to_contain_text("concept note.pdf")
    fill(page, privacy_ack=True)
    press(page, form="form#inquiry")
    page.wait_for_url("**/sent/**")
    reference = re.search(r"NM-\d{4}-\d{4}", page.inner_text("main"))
    assert reference
    number = reference.group()

    # The mail, its link, the button: received, with the day by which a person answers.
    first = mail_about(smtp, ADDRESS, f"请确认您的邮箱（{number}）")
    assert "林测试" not in first.text
    assert "两种受体配体" not in first.text
    confirm(page, smtp, ADDRESS)
    expect(page.locator("main")).to_contain_text(number)
    mail_about(smtp, ADDRESS, f"我们已收到您的来函（{number}）")
    own_page(page, smtp, ADDRESS)
    expect(status(page)).to_have_text("已收到")
    axe(page)
    fits(page)

    # The coordinator finds it by a Chinese word and gives it to the host.
    desk = open_context().new_page()
    sign_in(desk, coordinator)
    axe(desk)
    desk.goto("/staff/inquiries?q=配体")
    fits(desk)
    axe(desk)
    desk.locator(f"main a[href*='{number}']").first.click()
    fits(desk)
    axe(desk)
    with desk.expect_download() as download:
        desk.get_by_role("link", name="concept note.pdf").first.click()
    assert download.value.suggested_filename == "concept note.pdf"
    step(desk, number, "route", person=str(host.user_id), kind="host", note="Fits the animal laboratory.")
    expect(status(desk)).to_have_text("With the department")
    mail_about(smtp, ADDRESS, f"{number}：已转交")

    # The host has no interest to declare, says yes, and asks one thing.
    mail_about(smtp, host.email, "1 item waits for you")
    bench = open_context().new_page()
    sign_in(bench, host)
    declare(bench, number)
    step(bench, number, "answer-as-host", answer="yes", note="From March on.")
    step(bench, number, "ask", question="请问两种配体的分子量是多少？")
    question = mail_about(smtp, ADDRESS, f"{number}：请于")
    assert "分子量" in question.text

    # The partner answers with a file.
    own_page(page, smtp, ADDRESS)
    expect(page.locator("main")).to_contain_text("请问两种配体的分子量是多少？")
    page.locator("#answer-form textarea").fill("分别约为 1.2 和 1.4 kDa，详见附件。")
    page.locator("#answer-form input[type=file]").set_input_files(
        {"name": "masses.pdf", "mimeType": "application/pdf", "buffer": pdf()}
    )
    page.wait_for_timeout(2200)
    press(page, form="#answer-form")
    expect(page.locator("main")).to_contain_text("masses.pdf")
    mail_about(smtp, ADDRESS, f"已收到您的补充，继续处理（{number}）")

    # The coordinator reads the answer and hands over to the head.
    inquiry_page(desk, number)
    expect(desk.locator("main")).to_contain_text("1.2 和 1.4 kDa")
    step(desk, number, "ready", note="The group knows them well; no reviewers were asked.")
    expect(status(desk)).to_have_text("To decide")

    # The head decides; the letter is shown, then held: neither mail nor page tell the partner yet.
    office = open_context().new_page()
    sign_in(office, head)
    declare(office, number, "decide")
    letter = step_with_letter(
        office, number, "decide", verdict="accept", because="Fits two laboratories; the host wants it."
    )
    assert "科室同意您的来函" in letter
    expect(status(office)).to_have_text("Agreed by the department")
    axe(office)
    fits(office)
    page.reload()
    expect(status(page)).to_have_text("科室评估中")
    assert not [mail for mail in smtp.to(ADDRESS) if "科室同意" in mail.subject]

    # The hold ends: the mail goes out as it was shown, and the partner sees the decision.
    hold_is_over(number)
    decided = mail_about(smtp, ADDRESS, f"{number}：科室同意接收")
    assert letter.split("\n\n")[1] in decided.text.replace("\r\n", "\n")
    assert "Fits two laboratories" not in decided.raw.decode("utf-8", "replace") + decided.text
    own_page(page, smtp, ADDRESS)
    expect(status(page)).to_have_text("科室同意接收")
    expect(page.locator("main")).to_contain_text("正式录取由学校及医院主管部门办理")
    page_text = page.inner_text("main")
    for hidden in ("Hua Host", "Fits the animal laboratory", "From March on", "Fits two laboratories"):
        assert hidden not in page_text
    assert [mail.message_id for mail in smtp.mails] == list(
        dict.fromkeys(mail.message_id for mail in smtp.mails)
    )


def test_a_decision_is_taken_back_within_the_hold(
    page: Page, smtp: Smtp, server: Server, staff: Callable[..., Staff], inquiry: Callable[..., object]
) -> None:
    from collab.core.db import db, unit_of_work
    from collab.inquiries import AssignmentKind, HostAnswer, Inquiry, clocks, triage

    made = inquiry("cooperation", confirmed=True)
    assert isinstance(made, Inquiry)
    number = made.reference
    coordinator, host = staff("coordinator", signed_in=False), staff("host", signed_in=False)
    head = staff("head", signed_in=False)
    with unit_of_work():
        found = db.session.get_one(Inquiry, made.id)
        due = clocks.suggested_due(found, AssignmentKind.HOST, found.submitted_at)
        triage.route(found, host.user, due_on=due, by=coordinator.actor)
        declare_none(found, host.actor)
        triage.host_answers(found, HostAnswer.YES, by=host.actor)
        triage.mark_ready(found, by=coordinator.actor)
        declare_none(found, head.actor)

    server.start_worker()
    sign_in(page, head)
    step_with_letter(
        page, number, "decide", verdict="decline", because="By mistake.", decline_reason="out_of_scope"
    )
    expect(status(page)).to_have_text("Declined")
    press(page, form=f"main form[action$='/{number}/take-back']")
    expect(status(page)).to_have_text("To decide")
    step_with_letter(page, number, "decide", verdict="accept", because="As meant.")
    hold_is_over(number)
    mail_about(smtp, made.email, f"{number}: the department agrees")
    assert not [mail for mail in smtp.mails if "our decision" in mail.subject]

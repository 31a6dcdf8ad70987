"""A29, A26: hostile text through every field, then every page, mail and print view that shows it, opened in Chromium.

Nothing may run, nothing may be reported by the policy, and nothing in the document may be a handler or a script's
address.
"""

import itertools
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import BrowserContext, Page

from collab import mail
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.inquiries import Inquiry
from tests.support.client import Client
from tests.support.html import parse
from tests.support.interests import declare_none
from tests.support.partners import pdf
from tests.support.people import Staff
from tests.support.server import Server
from tests.web.partner.sample import COOPERATION, TRAINING, VISIT, received

#: From the public collections of such inputs: each breaks out of another place of a page.
HOSTILE = (
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    '"><svg/onload=window.hit=1>',
    "' onfocus=window.hit=1 autofocus x='",
    '" onmouseover="window.hit=1',
    "</textarea><script>window.hit=1</script>",
    "</title><script>window.hit=1</script>",
    "<iframe srcdoc='<script>parent.hit=1</script>'>",
    "javascript:window.hit=1",
    "<a href='javascript:window.hit=1'>x</a>",
    "<details open ontoggle=window.hit=1>",
    "<math><mtext></p><script>window.hit=1</script>",
    "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "<base href='//evil.example/'><form action=//evil.example><button>x",
    "<style>@import '//evil.example/x.css';*{display:none}</style>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "{{constructor.constructor('window.hit=1')()}} ${window.hit=1}",
    "<noscript><p title='</noscript><img src=x onerror=window.hit=1>'>",
    "<!--><img src=x onerror=window.hit=1>-->",
    "&lt;script&gt;window.hit=1&lt;/script&gt; &#106;avascript:window.hit=1",
    "\\u003cscript\\u003ewindow.hit=1\\u003c/script\\u003e",
    "<template><img src=x onerror=window.hit=1></template>",
)
LONG = "\n".join(HOSTILE)

#: What runs in each page before anything of it: dialogs and reports are noted.
NOTE = """
window.reports = [];
document.addEventListener('securitypolicyviolation', e => window.reports.push(`${e.violatedDirective} ${e.blockedURI}`)
);
for (const name of ['alert', 'confirm', 'prompt', 'print']) window[name] = () => { window.hit = name; };
"""
#: What must not be in any document.
FIND = r"""() => [...document.querySelectorAll('*')].flatMap(e => [...e.attributes]
  .filter(a => a.name.startsWith('on') || a.name === 'srcdoc' || (
    ['href', 'src', 'action', 'formaction', 'data', 'content', 'xlink:href'].includes(a.name)
    && /^\s*(javascript|vbscript|data:text)|evil\.example/i.test(a.value)))
  .map(a => `${e.tagName} ${a.name}=${a.value}`))
  .concat([...document.querySelectorAll(
      'script:not([src]):not([type="application/ld+json"]), iframe, object, embed, base')]
    .map(e => e.outerHTML))
  .concat(window.hit ? ['it ran: ' + window.hit] : []).concat(window.reports || ["not watched"])"""

Make = Callable[..., Staff]


def harmless(page: Page, told: str) -> None:
    """Fail on anything that came to life; what asks for a hand (focus, pointer) gets it."""
    for control in page.locator("main input:visible, main textarea:visible, main a:visible").all()[:3]:
        control.hover(force=True)
    assert page.evaluate(FIND) == [], told


def hostile(fields: dict[str, object], start: int) -> dict[str, object]:
    """The same form with hostile text in every field one can type into; lines get one each, texts get all."""
    several = itertools.islice(itertools.cycle(HOSTILE), start, None)
    lines = {name: next(several) for name in ("full_name", "institution_name")}
    texts = {name: LONG[:1900] for name in ("summary", "purpose", "interest_statement") if name in fields}
    title = {"title": next(several)} if "title" in fields else {}
    return {**fields, **lines, **title, **texts}


def no_interest(reference: str, *people: Staff) -> None:
    """These people declare that they have no interest in the inquiry."""
    for one in people:
        with unit_of_work():
            inquiry = db.session.query(Inquiry).filter_by(reference=reference).one()
            declare_none(inquiry, one.actor)


def step(client: Staff, reference: str, page: str, **fields: object) -> None:
    """A step of the staff with what is typed there; letters are sent as drafted, with hostile text added."""
    ends_with_letter = page in {"refer", "decline", "decide"}
    form = "facts" if ends_with_letter else "step"
    answer = client.fill(f"/staff/inquiries/{reference}/{page}", _form=form, **fields)
    if ends_with_letter:
        assert answer.status_code == 200, answer.text
        answer = client.answer(answer, letter=LONG, _form="send", _button="send")
    assert answer.status_code == 303, answer.text


@pytest.mark.settings(submissions_per_network=1000)
def test_a29_hostile_text_stays_text_on_every_page(
    app: Flask,
    department: Department,
    client: Client,
    browser_like: Callable[[], Client],
    staff: Make,
    server: Server,
    open_context: Callable[..., BrowserContext],
) -> None:
    partners: list[tuple[Client, Inquiry]] = []
    for number, (track, fields) in enumerate(
        (
            ("cooperation", COOPERATION),
            ("visit", VISIT),
            ("training", TRAINING),
            ("cooperation", COOPERATION),
            ("cooperation", COOPERATION),
            ("visit", VISIT),
            ("cooperation", COOPERATION),
        )
    ):
        partner = browser_like()
        typed = hostile({**fields, "email": f"hostile-{number}@example.org"}, number * 3)
        if track == "visit":
            typed["_files"] = {"attachment": ('"><img src=x onerror=window.hit=1>.pdf', pdf())}
        partners.append((partner, received(partner, track, **typed)))
    first = partners[0][1].reference
    host = staff("host", name=HOSTILE[1])
    coordinator = staff("coordinator", name=HOSTILE[2])
    head = staff("head", "admin", name=HOSTILE[0])
    step(coordinator, first, "route", kind="host", person=str(host.user_id), note=LONG[:900])
    no_interest(first, host, head)
    step(host, first, "answer-as-host", answer="later", period=HOSTILE[1], note=LONG[:900])
    step(coordinator, first, "ask", question=LONG)
    partner, one = partners[0]
    sent = partner.fill(
        f"/en/my/{first}", _form="answer", body=LONG, _files={"attachment": (f"{HOSTILE[4][:40]}.pdf", pdf())}
    )
    assert sent.status_code == 303, sent.text
    step(coordinator, first, "note", note=LONG)
    reviewer = staff("reviewer", name=HOSTILE[4])
    step(coordinator, first, "route", kind="reviewer", person=str(reviewer.user_id), note=LONG[:900])
    no_interest(first, reviewer)
    rubric = "/staff/settings/rubrics/nuclear-medicine/cooperation"
    names = {f"criteria-{n}-name_en": text[:100] for n, text in enumerate(HOSTILE[:5])}
    assert head.fill(rubric, **names, **{"criteria-0-five_zh": HOSTILE[5]}).status_code == 303
    review = f"/staff/inquiries/{first}/review"
    half = reviewer.fill(review, because=LONG, comment_value=LONG[:1900], _button="Save for later")
    assert half.status_code == 303, half.text
    marks = {f"mark_{code}": "3" for code in ("value", "fit", "feasibility", "fairness", "record")}
    reviewed = reviewer.fill(review, **marks, recommendation="discuss")
    assert reviewed.status_code == 303, reviewed.text
    step(coordinator, first, "ready", note=LONG[:900])
    step(head, first, "decide", verdict="waitlist", because=HOSTILE[2], period=HOSTILE[3])
    step(coordinator, partners[1][1].reference, "decline", reason="out_of_scope", note=LONG[:900])
    step(coordinator, partners[2][1].reference, "set-aside", reason="spam", note=LONG[:900])
    step(
        coordinator, partners[3][1].reference, "refer", reason="press", office=HOSTILE[1], contact=HOSTILE[8]
    )
    withdrawn = partners[4]
    assert withdrawn[0].fill(f"/en/my/{withdrawn[1].reference}/withdraw").status_code == 303

    references = [one.reference for _client, one in partners]
    free = references[5]
    staff_pages = [
        "/staff/", "/staff/inquiries", "/staff/inquiries?status=waitlisted", "/staff/outbox",
        "/staff/settings/people", "/staff/account", "/staff/settings/rubrics", rubric,
        "/staff/inquiries?q=%22%3E%3Cscript%3Ewindow.hit%3D1%3C%2Fscript%3E",
        "/staff/inquiries?q=javascript%3Awindow.hit",
        "/staff/outbox?q=%3Cimg+src%3Dx+onerror%3Dwindow.hit%3D1%3E",
        *(f"/staff/inquiries/{reference}" for reference in references),
        *(
            f"/staff/inquiries/{free}/{name}"
            for name in ("ask", "route", "refer", "decline", "set-aside", "join", "own", "note", "letter", "conflict")
        ),
    ]  # fmt: skip
    db.session.rollback()
    mails = db.session.scalars(sa.select(mail.OutboxMail)).all()
    staff_pages += [f"/staff/outbox/{one.id}" for one in mails if one.department_id][::2]
    watched = [*look_as(head, staff_pages, server, open_context)]
    watched += look_as(coordinator, staff_pages[-14:], server, open_context)
    watched += look_as(host, ["/staff/", f"/staff/inquiries/{first}", "/staff/account"], server, open_context)
    watched += look_as(reviewer, [f"/staff/inquiries/{first}"], server, open_context)
    for partner, one in partners[:2] + partners[3:]:
        own = f"/en/my/{one.reference}"
        watched += look_as(
            partner, [own, f"/zh/my/{one.reference}", f"{own}/withdraw", f"{own}/erase"], server, open_context
        )
        data = partner.get(f"{own}/data.json")
        assert data.mimetype == "application/json"
        assert data.headers["X-Content-Type-Options"] == "nosniff"
        assert data.headers["Content-Disposition"].startswith("attachment")
    assert len(watched) > 50
    read_the_mails(mails, open_context)


def look_as(
    client: Client, paths: list[str], server: Server, open_context: Callable[..., BrowserContext]
) -> list[str]:
    """Open pages in a browser with a client's cookies, on screen and as printed."""
    context = open_context()
    context.add_init_script(NOTE)
    context.add_cookies(
        [{"name": one.key, "value": one.value, "url": server.url} for one in client._cookies.values()]
    )
    page = context.new_page()
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    for number, path in enumerate(paths):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status in {200, 303, 403, 409}, f"{path}: {answer.status}"
        assert page.url.startswith(server.url), page.url
        harmless(page, path)
        if number % 4 == 0:
            page.emulate_media(media="print")
            harmless(page, f"{path}, printed")
            page.emulate_media(media="screen")
    context.close()
    return paths


def read_the_mails(mails: "list[mail.OutboxMail]", open_context: Callable[..., BrowserContext]) -> None:
    """A26: as a mail program without any protection of its own would show them; none loads anything."""
    context = open_context()
    context.add_init_script(NOTE)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    topics = set()
    for one in mails:
        if not one.body_html:
            continue
        topics.add(one.topic)
        for element in parse(one.body_html).iter():
            assert element.tag not in {"script", "form", "iframe", "object", "base", "img", "link", "svg"}, (
                one.topic
            )
            assert (element.get("http-equiv") or "").lower() != "refresh"
        page.goto("about:blank")
        page.set_content(one.body_html)
        assert page.evaluate(FIND) == [], one.topic
    assert len(topics) > 6, topics
    assert [address for address in asked if not address.startswith("about:")] == []

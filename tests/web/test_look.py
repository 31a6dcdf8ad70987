"""What every page is drawn with: layouts, the macro for fields, colours, and the small extras in the browser."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree.ElementTree import Element

import pytest
import wtforms
from flask import Flask, render_template_string, request
from flask_babel import Babel
from jinja2 import TemplateRuntimeError
from playwright.sync_api import BrowserContext, Page, expect
from werkzeug.datastructures import MultiDict
from werkzeug.serving import make_server
from wtforms import validators
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind

from collab.web import pieces
from tests.support import html

ROOT = Path(__file__).parents[2]
THEME = (ROOT / "static/css/theme.css").read_text()
SCRIPT = (ROOT / "static/js/site.js").read_text()
POLICY = "default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"

HOSTILE = '"><script>alert(1)</script>'

FIELDS = '{% from "macros/forms.html" import field, error_summary %}'
PAGE = '{% extends "layout/partner.html" %}{% block title %}A page{% endblock %}{% block content %}<h1>A page</h1>'
END = "{% endblock %}"
FORM = (
    PAGE
    + """
<form method="post" action="/kept" data-draft="sample" data-draft-note="Put back." data-draft-discard="Start afresh">
<input type="hidden" name="secret" value="1">
<label>Name <input name="name"></label>
<label>Kind <input type="radio" name="kind" value="a">a</label>
<label><input type="radio" name="kind" value="b">b</label>
<label><input type="checkbox" name="declared" value="y"> I declare</label>
<label>Password <input type="password" name="password"></label>
<label for="text">Text</label><textarea id="text" name="text" data-counter="10"></textarea>
<p id="text-count" data-left="Left: {n}" data-over="Over: {n}">At most 10.</p>
<button type="submit" name="do" value="send">Send</button>
</form>"""
    + END
)
DONE = PAGE + '<div data-draft-clear="sample"></div>' + END
SHARE = (
    '{% from "macros/ui.html" import share %}'
    + PAGE
    + '{{ share("https://portal.example/en/", "A page") }}'
    + END
)


class Everything(wtforms.Form):
    """One field of every kind the portal has."""

    line = wtforms.StringField("Line", [validators.DataRequired()], description="Help.")
    mail = wtforms.EmailField("E-mail", [validators.DataRequired()], render_kw={"autocomplete": "email"})
    text = wtforms.TextAreaField("Text", [validators.DataRequired(), validators.Length(max=2000)])
    one = wtforms.SelectField(
        "One", [validators.DataRequired()], choices=[SelectChoice("", "Choose"), SelectChoice("a", "A")]
    )
    kind = wtforms.RadioField(
        "Kind", [validators.InputRequired()], choices=[SelectChoice("a", "A"), SelectChoice("b", HOSTILE)]
    )
    many = wtforms.SelectMultipleField(
        "Many",
        [validators.DataRequired()],
        choices=[SelectChoice("a", "A"), SelectChoice("b", "B")],
        widget=wtforms.widgets.ListWidget(prefix_label=False),
        option_widget=wtforms.widgets.CheckboxInput(),
    )
    agree = wtforms.BooleanField("I agree", [validators.DataRequired()])
    day = wtforms.DateField("Day", [validators.DataRequired()])
    month = wtforms.MonthField("Month", [validators.DataRequired()])
    number = wtforms.IntegerField("Number", [validators.InputRequired()])
    file = wtforms.FileField("File", [validators.DataRequired()])
    password = wtforms.PasswordField("Password", [validators.DataRequired()])
    hidden = wtforms.HiddenField("Hidden")
    note = wtforms.StringField("Note")


def small_app() -> Flask:
    """The templates and static files, and nothing else of the portal."""
    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.secret_key = "only for this test"
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["asset"] = lambda path: f"/static/{path}"
    Babel(app)
    pieces.init_app(app)
    department = SimpleNamespace(
        slug="sample", name=lambda lang: f"Department {lang}", institution=lambda lang: f"Institution {lang}"
    )

    @app.context_processor
    def _context() -> dict[str, Any]:
        return {
            "department": department,
            "lang": "en",
            "nav": [("About", "/", True), ("Research", "/r", False)],
        }

    @app.after_request
    def _policy(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return app


@pytest.fixture
def draw() -> Iterator[Callable[..., str]]:
    """`draw(source, **values)` gives the page's text."""
    app = small_app()
    with app.test_request_context("/en/sample/"):
        yield render_template_string


def tree(text: str) -> Element:
    return html.parse(f"<!doctype html><title>x</title><body>{text}")


# -- layouts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["public", "partner", "plain"])
def test_page_of_each_layout_is_valid(draw: Callable[..., str], layout: str) -> None:
    page = draw(
        '{% extends "layout/' + layout + '.html" %}{% block title %}A page{% endblock %}'
        "{% block content %}<h1>A page</h1>{% endblock %}"
    )
    assert html.findings(page) == ()
    assert html.text_of(html.parse(page).find("head/title")) == "A page · Department en"  # type: ignore[arg-type]


def test_page_without_a_title_is_refused(draw: Callable[..., str]) -> None:
    with pytest.raises(TemplateRuntimeError, match="title"):
        draw('{% extends "layout/public.html" %}{% block content %}<h1>A page</h1>{% endblock %}')


def test_page_for_visitors_does_not_read_the_session() -> None:
    app = small_app()
    source = '{% extends "layout/public.html" %}{% block title %}A page{% endblock %}'
    app.add_url_rule("/", "start", lambda: render_template_string(source))
    assert "Cookie" not in app.test_client().get("/").headers.get("Vary", "")


def test_error_page_works_without_a_department(draw: Callable[..., str]) -> None:
    page = draw(
        '{% set department = none %}{% include "errors/error.html" %}',
        status=404,
        heading=HOSTILE,
        message=HOSTILE,
        request_id="0123",
    )
    assert html.findings(page) == ()
    assert "<script>alert" not in page
    assert "0123" in page


def test_last_resort_needs_no_template() -> None:
    page = (ROOT / "templates/errors/plain_500.html").read_text()
    assert html.findings(page) == ()
    assert "{" not in page


# -- fields ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [f.name for f in Everything() if f.name not in ("hidden", "note")])
def test_wrong_field_says_so_where_it_stands(draw: Callable[..., str], name: str) -> None:
    form = Everything(MultiDict({"mail": ""}))
    assert not form.validate()
    text = draw(FIELDS + "{{ field(f) }}", f=form[name])
    root = tree(text)
    assert html.findings(f"<!doctype html><html lang=en><title>x</title><body>{text}") == ()
    group = root.find(".//fieldset")
    control = (
        group
        if group is not None
        else next(e for e in root.iter() if e.tag in ("input", "select", "textarea"))
    )
    described = control.get("aria-describedby", "").split()
    assert f"{name}-error" in described
    if name != "many":  # a group of checkboxes has no state of its own
        assert control.get("aria-invalid") == "true"
    error = next(e for e in root.iter() if e.get("id") == f"{name}-error")
    assert str(form[name].errors[0]) in html.text_of(error)
    assert text.index(f'id="{name}-error"') < text.rindex("<input" if group is not None else f'name="{name}"')


def test_field_keeps_what_was_typed_and_nothing_of_it_runs(draw: Callable[..., str]) -> None:
    form = Everything(MultiDict({"line": HOSTILE, "text": HOSTILE, "kind": "b"}))
    form.validate()
    root = tree(
        draw(FIELDS + "{{ error_summary(form) }}{% for f in form %}{{ field(f) }}{% endfor %}", form=form)
    )
    assert not root.findall(".//script")
    fields = {e.get("id"): e for e in root.iter()}
    assert fields["line"].get("value") == HOSTILE
    assert (fields["text"].text or "").strip() == HOSTILE
    assert fields["kind-1"].get("checked") is not None


def test_only_what_is_optional_is_marked(draw: Callable[..., str]) -> None:
    form = Everything()
    assert "(optional)" in draw(FIELDS + "{{ field(f) }}", f=form.note)
    assert "(optional)" not in draw(FIELDS + "{{ field(f) }}", f=form.line)


def test_long_text_is_not_cut_but_counted(draw: Callable[..., str]) -> None:
    root = tree(draw(FIELDS + "{{ field(f) }}", f=Everything().text))
    area = next(root.iter("textarea"))
    assert area.get("maxlength") is None
    assert area.get("data-counter") == "2000"
    assert "text-count" in area.get("aria-describedby", "").split()
    assert "2,000" in html.text_of(next(e for e in root.iter() if e.get("id") == "text-count"))


def test_summary_leads_to_every_wrong_field(draw: Callable[..., str]) -> None:
    form = Everything(MultiDict({"mail": ""}))
    form.validate()
    root = tree(
        draw(FIELDS + "{{ error_summary(form) }}{% for f in form %}{{ field(f) }}{% endfor %}", form=form)
    )
    summary = next(root.iter("section"))
    ids = {e.get("id") for e in root.iter()}
    targets = [a.get("href", "")[1:] for a in summary.iter("a")]
    assert len(targets) == len(form.errors)
    assert set(targets) <= ids
    assert next(summary.iter("h2")).get("autofocus") is not None


# -- colours and weight ----------------------------------------------------------------------------------------


def brightness(colour: str) -> float:
    """Relative luminance, as WCAG defines it."""
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((brightness(one), brightness(other)))
    return (high + 0.05) / (low + 0.05)


TOKENS = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{3,6})\b", THEME.partition("}")[0]))


@pytest.mark.parametrize(
    ("front", "ground", "least"),
    [
        *[(ink, ground, 4.5) for ink in ("ink", "ink-2", "accent", "late") for ground in ("paper", "wash")],
        *[
            (ink, f"{kind}-wash", 4.5)
            for ink in ("ink", "ink-2", "accent")
            for kind in ("accent", "late", "wait", "ok")
        ],
        ("accent-ink", "accent-wash", 4.5),
        ("late", "late-wash", 4.5),
        ("wait", "wait-wash", 4.5),
        ("ok", "ok-wash", 4.5),
        ("paper", "accent", 4.5),
        ("paper", "late", 4.5),
        ("band-ink", "band", 4.5),
        ("edge", "paper", 3),
        ("edge", "wash", 3),
        ("edge", "accent-wash", 3),
        ("focus", "paper", 3),
        ("band-mark", "band", 3),
    ],
)
def test_colours_can_be_told_apart(front: str, ground: str, least: float) -> None:
    assert contrast(TOKENS[front], TOKENS[ground]) >= least


def test_visitors_load_little() -> None:
    assert len(THEME.encode()) < 20 * 1024
    assert len(SCRIPT.encode()) < 8 * 1024


@pytest.mark.parametrize("audience", ["staff", "admin", "account", "layout", "macros"])
def test_browser_keeps_nothing_of_what_staff_type(audience: str) -> None:
    pages = sorted((ROOT / "templates" / audience).rglob("*.html"))
    assert pages
    assert [page.name for page in pages if re.search(r"data-draft(?!\w)", page.read_text())] == []


def test_script_makes_no_markup() -> None:
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        ".style",
    ):
        assert word not in SCRIPT


# -- in the browser --------------------------------------------------------------------------------------------


class Site:
    """A few pages under the theme's own script, and what was sent to them."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        app = small_app()
        for name, source in {"form": FORM, "done": DONE, "share": SHARE}.items():
            app.add_url_rule(f"/{name}", name, lambda source=source: render_template_string(source))
        app.add_url_rule("/kept", "kept", self.keep, methods=["POST"])
        self.app = app
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def keep(self) -> str:
        self.sent.append(dict(request.form))
        threading.Event().wait(0.5)  # long enough for an impatient second press
        return render_template_string(DONE)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.thread.join()


@pytest.fixture
def visitor(site: Site, new_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    page = new_context(base_url=site.url, viewport={"width": 390, "height": 800}).new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda message: wrong.append(message.text) if "Security Policy" in message.text else None
    )
    yield page
    assert wrong == []


def test_menu_unfolds_and_closes_by_keyboard(visitor: Page) -> None:
    visitor.goto("/form")
    link = visitor.locator(".top .fold nav a").first
    assert not link.is_visible()
    visitor.locator(".top summary").click()
    assert link.is_visible()
    visitor.keyboard.press("Escape")
    assert not link.is_visible()


def test_menu_unfolds_without_script(site: Site, new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(
        base_url=site.url, java_script_enabled=False, viewport={"width": 390, "height": 800}
    ).new_page()
    page.goto("/form")
    page.locator(".top summary").click()
    assert page.locator(".top .fold nav a").first.is_visible()


def test_counter_counts_characters_as_the_server_does(visitor: Page) -> None:
    visitor.goto("/form")
    visitor.fill(
        "#text", " 十个字\n𠀀 "
    )  # trimmed; a line break is one, and so is a character beyond 16 bits
    assert visitor.inner_text("#text-count") == "Left: 5"
    visitor.fill("#text", "x" * 12)
    assert visitor.inner_text("#text-count") == "Over: 2"
    expect(visitor.locator("[aria-live=polite]")).to_have_text("Over: 2")


def draft(page: Page) -> dict[str, list[str]]:
    deadline = time.monotonic() + 60
    while not page.evaluate("localStorage.getItem('draft:sample')"):  # kept once typing rests
        assert time.monotonic() < deadline, "nothing was kept"
        page.wait_for_timeout(50)
    found: dict[str, list[str]] = page.evaluate("JSON.parse(localStorage.getItem('draft:sample')).values")
    return found


def test_draft_is_kept_put_back_and_forgotten(visitor: Page) -> None:
    visitor.goto("/form")
    visitor.check("[name=declared]")
    visitor.fill("[name=password]", "secret")
    visitor.check("[name=kind][value=b]")
    visitor.fill("[name=name]", "Erika")
    assert draft(visitor) == {"name": ["Erika"], "kind": ["b"]}
    visitor.goto("/form")
    assert visitor.input_value("[name=name]") == "Erika"
    assert visitor.is_checked("[name=kind][value=b]")
    assert not visitor.is_checked("[name=declared]")
    visitor.get_by_role("button", name="Start afresh").click()
    assert visitor.input_value("[name=name]") == ""
    visitor.goto("/form")
    assert visitor.input_value("[name=name]") == ""


def test_draft_is_gone_once_the_inquiry_is_kept(visitor: Page) -> None:
    visitor.goto("/form")
    visitor.fill("[name=name]", "Erika")
    draft(visitor)
    visitor.goto("/done")
    assert visitor.evaluate("localStorage.length") == 0


def test_old_draft_is_not_put_back(visitor: Page) -> None:
    visitor.goto("/form")
    visitor.evaluate(
        "localStorage.setItem('draft:sample', JSON.stringify({at: Date.now() - 8 * 864e5, values: {name: ['Old']}}))"
    )
    visitor.goto("/form")
    assert visitor.input_value("[name=name]") == ""
    assert visitor.evaluate("localStorage.length") == 0


def test_pressing_twice_sends_once_and_keeps_the_buttons_value(site: Site, visitor: Page) -> None:
    visitor.goto("/form")
    visitor.fill("[name=name]", "Erika")
    visitor.evaluate(
        "() => { const press = () => document.querySelector('[name=do]').click(); press(); press();"
        " setTimeout(press, 100); }"
    )
    visitor.wait_for_url("**/kept")
    assert [sent["do"] for sent in site.sent] == ["send"]
    visitor.go_back()
    assert visitor.get_attribute("[name=do]", "aria-disabled") is None


def test_link_is_copied(visitor: Page) -> None:
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.goto("/share")
    visitor.locator(".share summary").click()
    visitor.locator("[data-copy]").click()
    assert visitor.evaluate("navigator.clipboard.readText()") == "https://portal.example/en/"
    assert visitor.inner_text("[data-copy]") == "Copied"

"""How a mail is written: two languages, text and HTML that say the same, addresses from the settings."""

from datetime import UTC, date, datetime
from pathlib import Path

import html5lib
import pytest
from flask import Flask
from flask.ctx import AppContext
from jinja2 import ChoiceLoader, DictLoader

from collab import mail
from collab.core import site

TEMPLATES = {
    "mail/sample/subject.txt": "{{ lang }}:\n {{ where }}",
    "mail/sample/body.txt": "{{ where }} <b>{{ typed }}</b>\n\n"
    "- {{ day(when) }}\n- {{ moment(at) }}\n\n{{ link('/en/confirm/abc') }}.\n",
    "mail/rich/subject.txt": "Rich",
    "mail/rich/body.txt": "Plain {{ typed }}",
    "mail/rich/body.html": "<h1>{{ typed }}</h1>",
}


@pytest.fixture
def samples(app: Flask) -> None:
    assert app.jinja_loader is not None
    app.jinja_env.loader = ChoiceLoader([DictLoader(TEMPLATES), app.jinja_loader])


def values() -> dict[str, object]:
    return {
        "where": {"en": "Here", "zh": "这里"},
        "typed": "<script>alert(1)</script>",
        "when": date(2026, 11, 26),
        "at": datetime(2026, 11, 26, 1, 5, tzinfo=UTC),
    }


@pytest.mark.usefixtures("samples")
def test_the_readers_language_comes_first_and_the_other_below() -> None:
    composed = mail.compose("sample", "zh", **values())
    assert composed.subject == "zh: 这里"
    chinese, english = composed.text.split("-" * 40)
    assert chinese.strip().splitlines() == [
        "这里 <b><script>alert(1)</script></b>",
        "",
        "- 2026年11月26日（周四）",
        "- 2026年11月26日（周四）09:05（北京时间）",
        "",
        f"{site.settings().base_url}/en/confirm/abc.",
    ]
    assert english.strip().splitlines()[2:4] == ["- Thu 26 Nov 2026", "- Thu 26 Nov 2026, 09:05 (Shanghai)"]


@pytest.mark.usefixtures("samples")
def test_html_made_from_the_text_says_the_same_and_runs_nothing() -> None:
    composed = mail.compose("sample", "en", **values())
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(composed.html)
    assert [section.get("lang") for section in tree.iter("section")] == ["en", "zh"]
    assert list(tree.iter("script")) == []
    assert [link.get("href") for link in tree.iter("a")] == [f"{site.settings().base_url}/en/confirm/abc"] * 2
    assert list(tree.iter("img")) == []
    assert "&lt;script&gt;" in composed.html
    assert next(item.text for item in tree.iter("li")) == "Thu 26 Nov 2026"


@pytest.mark.usefixtures("samples")
def test_a_mail_may_bring_its_own_html_and_it_is_escaped() -> None:
    composed = mail.compose("rich", "en", bilingual=False, typed="<i>")
    assert "<h1>&lt;i&gt;</h1>" in composed.html
    assert composed.text == "Plain <i>\n"


@pytest.mark.usefixtures("samples")
def test_links_name_the_configured_host_whatever_a_request_says(app: Flask) -> None:
    with app.test_request_context("/", base_url="http://evil.example/"):
        composed = mail.compose("sample", "en", **values())
    assert "evil.example" not in composed.text + composed.html


@pytest.mark.usefixtures("samples")
def test_a_template_error_is_not_swallowed() -> None:
    from jinja2 import TemplateNotFound

    with pytest.raises(TemplateNotFound):
        mail.compose("no_such_mail", "en")


def test_every_mail_of_the_portal_has_subject_and_text(app: Flask) -> None:
    assert isinstance(app.template_folder, str)
    folders = [path for path in (Path(app.template_folder) / "mail").iterdir() if path.is_dir()]
    assert folders
    for folder in folders:
        assert (folder / "subject.txt").is_file(), folder.name
        assert (folder / "body.txt").is_file(), folder.name


def test_it_needs_no_request(app: Flask) -> None:
    assert isinstance(app.app_context(), AppContext)
    composed = mail.compose(
        "invitation", "zh", department={"en": "D", "zh": "科"}, roles=[], invited_by="X",
        address="http://h/t", expires=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    assert "http://h/t" in composed.text

"""Conventions of templates and static files."""

import re
from collections.abc import Iterator

import jinja2
import jinja2.meta
import jinja2.nodes
import pytest

from tests.rules.sources import ROOT, STATIC, TEMPLATES, files_of

COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
INLINE = {
    "a script without src": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/ld\+json)", re.IGNORECASE),
    "a style": re.compile(r"<style\b", re.IGNORECASE),
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "a handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "a script address": re.compile(r"javascript:", re.IGNORECASE),
}
UNSAFE = re.compile(r"\|\s*safe\b|\bMarkup\(|autoescape\s+false")
ELSEWHERE = re.compile(r"""(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^\s"'<>)]*""", re.IGNORECASE)
# Names of vocabularies, never fetched.
NAMES = ("http://www.w3.org/", "https://www.w3.org/", "https://schema.org", "http://www.sitemaps.org/")
#: The only places that may switch escaping off, each with the reason.
SAFE_HERE: dict[str, str] = {}


def inline(text: str) -> list[str]:
    """What a template holds inline that the content security policy forbids."""
    plain = JINJA.sub("", COMMENT.sub("", text))
    return [what for what, pattern in INLINE.items() if pattern.search(plain)]


def elsewhere(text: str) -> list[str]:
    """Addresses of other hosts in a file."""
    return [found for found in ELSEWHERE.findall(COMMENT.sub("", text)) if not found.startswith(NAMES)]


def pages() -> Iterator[tuple[str, str]]:
    return files_of(TEMPLATES, ".html", ".txt", ".xml", ".atom")


def test_no_template_holds_code_or_styles_inline() -> None:
    assert {path: bad for path, text in pages() if "/mail/" not in path and (bad := inline(text))} == {}


@pytest.mark.parametrize(
    "text",
    [
        "<script>x</script>",
        "<style>p{}</style>",
        '<p class="{{ a }}" style="x">',
        '<a onclick="{{ x }}">',
        '<a href="javascript:x">',
    ],
)
def test_what_is_inline_is_found(text: str) -> None:
    assert inline(text)


def test_scripts_of_our_own_are_fine() -> None:
    assert inline('<script src="{{ asset("js/site.js") }}" defer></script>{# <style> #}') == []


def test_no_template_switches_escaping_off() -> None:
    found = {
        path for path, text in pages() if path.endswith(".html") and UNSAFE.search(COMMENT.sub("", text))
    }
    assert found == set(SAFE_HERE)
    assert all(UNSAFE.search(text) for text in ("{{ x|safe }}", "{{ x | safe }}", "{% autoescape false %}"))


def test_nothing_comes_from_elsewhere() -> None:
    sources = [*pages(), *files_of(STATIC, ".css", ".js", ".svg", ".webmanifest", ".json")]
    assert {path: bad for path, text in sources if (bad := elsewhere(text))} == {}


def test_what_comes_from_elsewhere_is_found() -> None:
    assert elsewhere('<link href="//cdn.example.com/x.css"><img src="https://pixel.example.net/?x">') == [
        "//cdn.example.com/x.css",
        "https://pixel.example.net/?x",
    ]
    assert elsewhere('{"@context": "https://schema.org"}') == []


def test_scripts_never_write_html() -> None:
    unsafe = re.compile(r"\.(?:inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function")
    assert {path: bad for path, text in files_of(STATIC, ".js") if (bad := unsafe.findall(text))} == {}
    assert unsafe.search("e.innerHTML = x")


def test_every_template_that_is_referred_to_exists() -> None:
    environment = jinja2.Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)
    missing = {}
    for path, text in pages():
        references = set(jinja2.meta.find_referenced_templates(environment.parse(text))) - {None}
        if bad := [name for name in references if name and not (TEMPLATES / name).is_file()]:
            missing[path] = bad
    assert missing == {}


def test_every_template_is_used() -> None:
    code = "".join(text for _path, text in files_of(ROOT / "collab", ".py"))
    environment = jinja2.Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)
    named = {
        name
        for _path, text in pages()
        for name in jinja2.meta.find_referenced_templates(environment.parse(text))
        if name
    }
    unused = []
    for path, _text in pages():
        name = path.removeprefix("templates/")
        # Mails and pages of one kind may be named by a variable: their folder is named then.
        folder = name.rpartition("/")[0]
        if (
            name not in named
            and name not in code
            and not re.search(rf'f"{re.escape(folder.partition("/")[0])}/\{{', code)
        ):
            unused.append(path)
    assert unused == []


#: What a macro that is drawn once must not look at: it differs between requests with the same values.
OF_ONE_REQUEST = {
    "g",
    "request",
    "session",
    "csrf_token",
    "get_flashed_messages",
    "config",
    "current_user",
    "user",
}
ONCE = re.compile(r"""drawn_(?:once|each)\(\s*["']([^"']+)["'],\s*["'](\w+)["']""")


def drawn_once() -> set[tuple[str, str]]:
    sources = [*pages(), *files_of(ROOT / "collab", ".py")]
    return {found for _path, text in sources for found in ONCE.findall(text)}


def of_one_request(source: str, name: str) -> set[str]:
    """What of a single request a macro looks at."""
    tree = jinja2.Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(source)
    (macro,) = [one for one in tree.find_all(jinja2.nodes.Macro) if one.name == name]
    return OF_ONE_REQUEST & {one.name for one in macro.find_all(jinja2.nodes.Name)}


def test_what_is_drawn_once_sees_nothing_of_a_single_request() -> None:
    found = drawn_once()
    assert ("staff/_rows.html", "queue_row") in found
    assert {
        one: bad for one in found if (bad := of_one_request((TEMPLATES / one[0]).read_text(), one[1]))
    } == {}


def test_a_macro_that_looks_at_the_request_is_found() -> None:
    assert of_one_request("{% macro m(a) %}{{ a }}{{ g.pile }}{% endmacro %}", "m") == {"g"}
    assert of_one_request("{% macro m(a) %}{{ a.user }}{% endmacro %}", "m") == set()

"""What every page must be: valid HTML that says what it is, under headers that keep it so."""

import functools
from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import html5lib
from html5lib.constants import E as ERRORS
from werkzeug.test import TestResponse

# Attributes that name the ids of other elements of the page.
REFERENCES = (
    "for",
    "aria-describedby",
    "aria-labelledby",
    "aria-controls",
    "aria-errormessage",
    "form",
    "list",
    "headers",
)


@functools.lru_cache(maxsize=32)
def _parsed(text: str) -> tuple[Element, html5lib.HTMLParser]:
    """A page is checked and then read: it is parsed once for both."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    return parser.parse(text), parser


def parse(text: str) -> Element:
    """The page's tree, without namespaces; not to be changed."""
    return _parsed(text)[0]


def text_of(element: Element) -> str:
    """What one reads of an element, with single spaces."""
    return " ".join("".join(element.itertext()).split())


@functools.lru_cache(maxsize=256)
def findings(text: str) -> tuple[str, ...]:
    """What is wrong with a page; nothing for a good one."""
    root, parser = _parsed(text)
    return (*_parse_errors(parser, text), *_findings(root))


def _parse_errors(parser: html5lib.HTMLParser, text: str) -> Iterator[str]:
    lines = text.splitlines()
    for (line, column), code, values in parser.errors:
        excerpt = lines[line - 1][max(column - 80, 0) : column + 20].strip() if 0 < line <= len(lines) else ""
        yield f"line {line}: {ERRORS.get(code, code) % (values or {})} near {excerpt!r}"


def _findings(root: Element) -> Iterator[str]:
    title = root.find("head/title")
    if title is None or not text_of(title):
        yield "it has no title"
    if not root.get("lang"):
        yield "it does not say its language"
    counted = Counter(value for element in root.iter() if (value := element.get("id")) is not None)
    yield from (f"the id {name!r} is used {times} times" for name, times in counted.items() if times > 1)
    if "" in counted:
        yield "an id is empty"
    for element in root.iter():
        for attribute in REFERENCES:
            for name in element.get(attribute, "").split():
                if name not in counted:
                    yield f"<{element.tag} {attribute}={name!r}> names no element of the page"
        target = element.get("href", "")
        if element.tag == "a" and target.startswith("#") and target[1:] not in (*counted, "top"):
            yield f"<a href={target!r}> leads nowhere"
        if element.tag == "img" and element.get("alt") is None:
            yield f"<img src={element.get('src')!r}> has no alt"
        if element.tag == "style" or element.get("style") is not None:
            yield f"<{element.tag}> is styled inline"
        if (
            element.tag == "script"
            and element.get("src") is None
            and element.get("type") != "application/ld+json"
        ):
            yield "a script is inline"
        yield from (
            f"<{element.tag} {name}> runs a script inline"
            for name in element.attrib
            if str(name).startswith("on")
        )


def check(response: TestResponse) -> None:
    """Fail on anything no response of the portal may be."""
    wrong = []
    headers = response.headers
    if headers.get("X-Content-Type-Options") != "nosniff":
        wrong.append("X-Content-Type-Options is not nosniff")
    if "Cache-Control" not in headers:
        wrong.append("there is no Cache-Control")
    if response.mimetype == "text/html":
        policy = headers.get("Content-Security-Policy", "")
        if not policy:
            wrong.append("there is no Content-Security-Policy")
        if "unsafe" in policy:
            wrong.append(f"Content-Security-Policy allows something unsafe: {policy}")
        if "Referrer-Policy" not in headers:
            wrong.append("there is no Referrer-Policy")
        if response.request.method != "HEAD" and not 300 <= response.status_code < 400:
            wrong.extend(findings(response.text))
    assert not wrong, (
        f"{response.request.method} {response.request.path} ({response.status}):\n  " + "\n  ".join(wrong)
    )

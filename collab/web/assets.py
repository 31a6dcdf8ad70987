"""Styles, scripts and pictures, served from memory in front of Flask under addresses that change with the content.

``asset("css/theme.css")`` gives ``/static/<digest>/css/theme.css``, which a browser may keep for good. The plain
address works as well and is asked again each time. Bootstrap comes out of its Python package, and of it only the rules
that our templates and scripts can use.
"""

import gzip
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask

from collab.core.package import folder
from collab.settings import Settings
from collab.web import hooks

PREFIX = "/static/"
FAVICON = "/favicon.ico"
BOOTSTRAP = "bootstrap.css"
#: What may stand in static/, and how it is sent.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
#: Compressing these again gains nothing.
PACKED = {".png", ".jpg", ".webp", ".woff2"}
FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, max-age=0, must-revalidate"

Headers = list[tuple[str, str]]


class Body:
    """One content in both codings, ready to be sent.

    :param headers: what it is and how it may be kept; length, coding and tag are added here.
    :param pack: whether compressing it may save anything.
    """

    def __init__(self, content: bytes, headers: Headers, *, pack: bool = True) -> None:
        packed = gzip.compress(content, 9, mtime=0) if pack else content
        if len(packed) >= len(content):
            packed = content
        else:
            headers = [*headers, ("Vary", "Accept-Encoding")]
        self.size = len(content) + (len(packed) if packed is not content else 0)
        self.tag = hashlib.sha256(content).hexdigest()[:16]
        self._plain = self._answer(content, headers, self.tag)
        self._packed = self._plain
        if packed is not content:
            coded = [*headers, ("Content-Encoding", "gzip")]
            self._packed = self._answer(packed, coded, f"{self.tag}-gz")

    @staticmethod
    def _answer(content: bytes, headers: Headers, tag: str) -> tuple[Headers, list[bytes]]:
        return [*headers, ("ETag", f'"{tag}"'), ("Content-Length", str(len(content)))], [content]

    def send(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a GET or HEAD: 304 when the caller has it, else the coding the caller takes."""
        takes = takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", ""))
        headers, content = self._packed if takes else self._plain
        known = environ.get("HTTP_IF_NONE_MATCH")
        if known is not None and (self.tag in known or known.strip() == "*"):
            start_response("304 Not Modified", [pair for pair in headers if pair[0] not in _OF_A_BODY])
            return []
        start_response("200 OK", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else content


_OF_A_BODY = frozenset({"Content-Type", "Content-Encoding", "Content-Length"})


@lru_cache(maxsize=512)
def takes_gzip(accepted: str) -> bool:
    """Whether an ``Accept-Encoding`` takes the gzip coding."""
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False


class Assets:
    """All assets by name, and the WSGI application that answers for them."""

    def __init__(self, contents: Mapping[str, bytes], security: Mapping[str, str]) -> None:
        self._plain: dict[str, Body] = {}
        self._for_good: dict[str, Body] = {}
        self._addresses: dict[str, str] = {}
        for name, content in contents.items():
            suffix = Path(name).suffix
            headers = [("Content-Type", TYPES[suffix]), *security.items()]
            pack = suffix not in PACKED
            plain = Body(content, [*headers, ("Cache-Control", ASK_AGAIN)], pack=pack)
            self._plain[name] = plain
            self._addresses[name] = address = f"{PREFIX}{plain.tag[:8]}/{name}"
            self._for_good[address] = Body(content, [*headers, ("Cache-Control", FOR_GOOD)], pack=pack)
        self._not_found = list(security.items())

    def address(self, name: str) -> str:
        """Where a page finds an asset.

        :raises KeyError: there is none of this name.
        """
        return self._addresses[name]

    def names(self) -> Iterator[str]:
        """All assets."""
        return iter(self._addresses)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return self._refuse("405 Method Not Allowed", [("Allow", "GET, HEAD")], start_response)
        body = self._for_good.get(path) or self._plain.get(self._name_in(path))
        if body is None:
            return self._refuse("404 Not Found", [], start_response)
        return body.send(environ, start_response)

    def _name_in(self, path: str) -> str:
        if path == FAVICON:
            return "favicon.ico" if "favicon.ico" in self._plain else "img/icon.svg"
        name = path.removeprefix(PREFIX)
        digest, _, rest = name.partition("/")
        # A page from before an update asks by the old digest: it gets what there is, but not for good.
        return rest if re.fullmatch("[0-9a-f]{8}", digest) else name

    def _refuse(self, status: str, headers: Headers, start_response: StartResponse) -> Iterable[bytes]:
        text = status.encode() + b"\n"
        start_response(
            status,
            [
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Length", str(len(text))),
                ("Cache-Control", "no-store"),
                *self._not_found,
                *headers,
            ],
        )
        return [text]


def install(app: Flask, settings: Settings) -> None:
    """Put the assets in front of the application and ``asset()`` into its templates."""
    security = tuple(hooks.security_headers(settings).items())
    assets = _load(folder("templates"), folder("static"), security)
    app.extensions["collab.assets"] = assets
    app.jinja_env.globals["asset"] = assets.address
    app.wsgi_app = _in_front(app.wsgi_app, assets)  # type: ignore[method-assign, assignment]


@cache
def _load(templates: Path, static: Path, security: tuple[tuple[str, str], ...]) -> Assets:
    views = Path(__file__).parent
    contents = {BOOTSTRAP: bootstrap(words_in(templates, static, views)), **files_in(static)}
    return Assets(contents, dict(security))


def _in_front(application: WSGIApplication, assets: Assets) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(PREFIX) or path == FAVICON:
            return assets(environ, start_response)
        return application(environ, start_response)

    return answer


def files_in(root: Path) -> dict[str, bytes]:
    """The files below a folder that may be served, by their path in it. Links out of it are not followed."""
    root = root.resolve()
    found = {}
    for path in sorted(root.rglob("*")):
        real = path.resolve()
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if real.is_file() and real.is_relative_to(root) and path.suffix in TYPES and not hidden:
            found[path.relative_to(root).as_posix()] = real.read_bytes()
    return found


# -- Bootstrap, as far as we use it ------------------------------------------------------------------------------

_RULE = re.compile(r"[^{}]+\{(?:[^{}]|\{[^{}]*\})*\}")
_CLASS = re.compile(r"\.((?:\\.|[\w-])+)")
_WORD = re.compile(r"[A-Za-z][\w-]*")


def words_in(*folders: Path) -> frozenset[str]:
    """Every word of templates, scripts and views: whatever could be a class's name, or (``btn-``) its beginning."""
    found: set[str] = set()
    for one in folders:
        for path in one.rglob("*"):
            if path.suffix in {".html", ".js", ".py"}:
                found.update(_WORD.findall(path.read_text("utf-8")))
    return frozenset(found)


def bootstrap(words: frozenset[str]) -> bytes:
    """Bootstrap's stylesheet without the rules whose classes nobody can use."""
    import flask_bootstrap

    source = Path(flask_bootstrap.__file__).parent / "static/bootstrap5/css/bootstrap.min.css"
    text = re.sub(r"/\*.*?\*/|@charset[^;]*;", "", source.read_text("utf-8"), flags=re.DOTALL)
    notice = "/*! Bootstrap 5 (https://getbootstrap.com), MIT licence; the rules this portal uses */\n"
    return (notice + _without_unused_variables(_keep(text, words))).encode()


def _keep(text: str, words: frozenset[str]) -> str:
    return "".join(_kept(rule.group(), words) for rule in _RULE.finditer(text))


def _kept(rule: str, words: frozenset[str]) -> str:
    head, _, body = rule.partition("{")
    if head.startswith(("@media", "@supports")):
        inner = _keep(body[:-1], words)
        return f"{head}{{{inner}}}" if inner else ""
    if head.startswith("@keyframes"):
        return rule if head.split()[-1] in words else ""
    selectors = [one for one in _selectors(head) if _is_usable(one, words)]
    return f"{','.join(selectors)}{{{body}" if selectors else ""


def _is_usable(selector: str, words: frozenset[str]) -> bool:
    if "[data-bs-theme=dark]" in selector and "data-bs-theme" not in words:
        return False
    return all(
        name in words or f"{name.rpartition('-')[0]}-" in words for name in _CLASS.findall(selector) if name
    )


def _selectors(head: str) -> Iterator[str]:
    """The selectors of a list; commas inside brackets do not part."""
    depth, start = 0, 0
    for at, character in enumerate(head):
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "," and not depth:
            yield head[start:at]
            start = at + 1
    yield head[start:]


_ROOT = re.compile(r":root[^{}]*\{[^{}]*\}|\[data-bs-theme=\w+\][^{}]*\{[^{}]*\}")
_VARIABLE = re.compile(r"(--bs-[\w-]+):(?:[^;{}\"']|\"[^\"]*\"|'[^']*')*;?")


def _without_unused_variables(text: str) -> str:
    """Variables of ``:root`` that no kept rule reads, directly or through another one, are dropped.

    Our own theme reads none of them but sets some, which works whether they are set before or not.
    """
    while True:
        read = set(re.findall(r"var\((--bs-[\w-]+)", text))

        def thinned(block: re.Match[str], read: set[str] = read) -> str:
            return _VARIABLE.sub(lambda one: one.group() if one.group(1) in read else "", block.group())

        fewer = _ROOT.sub(thinned, text)
        if fewer == text:
            return text
        text = fewer

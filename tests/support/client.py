"""A client that behaves like a browser without a screen, and refuses pages no browser should get."""

import contextvars
from collections.abc import Iterable, Mapping
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

import time_machine
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from collab.core import clock
from collab.extensions import db
from tests.support import html
from tests.support.forms import File, Form, choose, forms_of

#: How long a person takes to fill in a form, unless a test says otherwise.
TYPING = timedelta(seconds=10)


class Client(FlaskClient):
    """Flask's client with forms. CSRF is on, as in production."""

    #: Where the application believes to be; set by the `app` fixture.
    base_url = "http://127.0.0.1:8000"
    #: Whether responses are checked; switched off by the marker `invalid_html`.
    checked = True
    #: What broke inside while a page was made; such a page fails the test. None where a test breaks things on purpose.
    mishaps: list[Exception] | None = None

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """As Flask's, but each request has a context of its own, as in production, and its response is checked."""
        if args and isinstance(args[0], str) and not args[0].startswith(("http://", "https://")):
            kwargs.setdefault("base_url", self.base_url)
        follow = kwargs.pop("follow_redirects", False)
        kwargs["buffered"] = True
        _expire_pages(self.application)
        response = contextvars.Context().run(super().open, *args, **kwargs)
        _see_what_changed()
        if self.mishaps:
            raise self.mishaps.pop()
        if self.checked:
            html.check(response)
        for _ in range(10):
            if not (follow and 300 <= response.status_code < 400 and response.location):
                break
            keep = response.status_code in (307, 308)
            method = response.request.method if keep else "GET"
            response = self.open(urljoin(response.request.url, response.location), method=method)
        return response

    def page(self, path: str, *, status: int = 200) -> Element:
        """The parsed page at an address."""
        response = self.get(path)
        assert response.status_code == status, f"{path}: {response.status}\n{response.text[:2000]}"
        return html.parse(response.text)

    def form(self, path: str, *, form: str | None = None) -> Form:
        """A form of a page, as the page brought it."""
        return choose(forms_of(self.page(path)), wanted=form, fields={}, button=None)

    def fill(
        self,
        path: str,
        *,
        _form: str | None = None,
        _button: str | None = None,
        _files: Mapping[str, File | Iterable[File]] | None = None,
        _forged: Mapping[str, Any] | None = None,
        _typing: timedelta = TYPING,
        _follow: bool = False,
        **fields: Any,
    ) -> TestResponse:
        """Open a page, fill in its form as a person would, and send it.

        :param path: the page with the form.
        :param _form: the form's id or the end of its action, when several fit the fields.
        :param _button: label, value or name of the button to press; the form's first by default.
        :param _files: by field, one or several files.
        :param _forged: values sent although the form does not offer them, as an attacker would.
        :param _typing: the time since the page was opened.
        :param _follow: whether to follow redirects.
        """
        with time_machine.travel(clock.now() - _typing, tick=True):
            opened = self.get(path, follow_redirects=True)
        assert opened.status_code == 200, f"{path}: {opened.status}\n{opened.text[:2000]}"
        return self.answer(
            opened, _form=_form, _button=_button, _files=_files, _forged=_forged, _follow=_follow, **fields
        )

    def answer(
        self,
        opened: TestResponse,
        *,
        _form: str | None = None,
        _button: str | None = None,
        _files: Mapping[str, File | Iterable[File]] | None = None,
        _forged: Mapping[str, Any] | None = None,
        _follow: bool = False,
        **fields: Any,
    ) -> TestResponse:
        """Fill in and send the form of a page that was got before, for instance one that came back with errors."""
        files = {name: _listed(given) for name, given in (_files or {}).items()}
        named = {**fields, **dict.fromkeys(files)}
        form = choose(forms_of(html.parse(opened.text)), wanted=_form, fields=named, button=_button)
        action, sent = form.answer(named, _button)
        data: MultiDict[str, Any] = MultiDict(sent)
        for name, value in (_forged or {}).items():
            data.setlist(name, value if isinstance(value, list) else [value])
        if form.multipart:
            for name, several in files.items():
                data.setlist(name, [(BytesIO(content), filename) for filename, content in several])
        elif files:
            raise AssertionError("The form takes no files: it is not multipart/form-data.")
        target = urljoin(opened.request.url, action)
        if form.method == "GET":
            return self.get(target.partition("?")[0], query_string=data, follow_redirects=_follow)
        kind = "multipart/form-data" if form.multipart else "application/x-www-form-urlencoded"
        headers = {"Origin": opened.request.host_url.rstrip("/"), "Referer": opened.request.url}
        return self.post(target, data=data, content_type=kind, headers=headers, follow_redirects=_follow)


def _listed(given: File | Iterable[File]) -> list[File]:
    match given:
        case (str() as name, bytes() as content):
            return [(name, content)]
        case _:
            return list(given)


def _expire_pages(app: Flask) -> None:
    """What a test changed by verbs is on the pages at once, not within the second the cache allows itself."""
    if "collab.page_cache" in app.extensions:
        app.extensions["collab.page_cache"].versions.expire()


def _see_what_changed() -> None:
    """The test's own session forgets what it read before the request."""
    if has_app_context():
        db.session.rollback()

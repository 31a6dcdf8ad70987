"""Visitors over the wire: plain HTTP against the live server, each from a network of its own, many at once."""

import http.client
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

#: A little over the two seconds under which a form counts as filled in by a machine.
TYPING = 2.2


class Broken(Exception):
    """No answer came: the connection was refused, or it ended before the answer did."""


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def location(self) -> str:
        return self.headers.get("location", "")


@dataclass(frozen=True)
class OpenForm:
    """A form as it was opened: where it goes, and what it brings hidden."""

    path: str
    hidden: Mapping[str, str]
    at: float

    def wait(self) -> None:
        """Until a person can have filled it in."""
        time.sleep(max(0.0, self.at + TYPING - time.monotonic()))


class _Hidden(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name")
        if tag == "input" and given.get("type") == "hidden" and name:
            self.found.setdefault(name, given.get("value") or "")


class Visitor:
    """One visitor with cookies. ``number`` chooses the network: 127.0.<number>.1."""

    def __init__(self, url: str, number: int = 0, *, timeout: float = 30) -> None:
        self.origin = url
        self.address = urlsplit(url)
        self.source = (f"127.0.{number}.1", 0)
        self.timeout = timeout
        self.cookies: dict[str, str] = {}

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own.

        :raises Broken: no whole answer came.
        """
        given = {"Connection": "close", **(headers or {})}
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        began = time.monotonic()
        connection = http.client.HTTPConnection(
            self.address.hostname or "",
            self.address.port,
            timeout=self.timeout,
            source_address=self.source,
        )
        try:
            connection.request(method, path, body, given)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Broken(f"{method} {path}: {type(error).__name__}: {error}") from error
        finally:
            connection.close()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, found, content, time.monotonic() - began)

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def open(self, path: str) -> OpenForm:
        """GET a page with a form.

        :raises Broken: the page did not come.
        """
        answer = self.get(path)
        if answer.status != 200:
            raise Broken(f"GET {path}: {answer.status}")
        parser = _Hidden()
        parser.feed(answer.text)
        return OpenForm(path, parser.found, time.monotonic())

    def send(
        self, form: OpenForm, fields: Mapping[str, str], file: tuple[str, bytes] | None = None
    ) -> Answer:
        """POST a form that was opened, with a PDF if one is given."""
        values = {**form.hidden, **fields}
        headers = {"Origin": self.origin}
        if file is None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            return self.ask("POST", form.path, urlencode(values).encode(), headers)
        mark = secrets.token_hex(16)
        headers["Content-Type"] = f"multipart/form-data; boundary={mark}"
        return self.ask("POST", form.path, multipart(mark, values, file), headers)

    def press(self, path: str) -> Answer:
        """Open a page and press its only button."""
        return self.send(self.open(path), {})


def multipart(mark: str, fields: Mapping[str, str], file: tuple[str, bytes]) -> bytes:
    """A form's body with one PDF in ``attachment``."""
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    name, content = file
    parts.append(
        f'--{mark}\r\nContent-Disposition: form-data; name="attachment"; filename="{name}"\r\n'
        f"Content-Type: application/pdf\r\n\r\n".encode()
    )
    return b"".join(parts) + content + f"\r\n--{mark}--\r\n".encode()


#: What the cooperation form asks, but for the e-mail.
COOPERATION = {
    "full_name": "Erika Mustermann",
    "institution_name": "Universitätsklinikum Beispielstadt",
    "country": "DE",
    "organisation_type": "university",
    "area": "radiopharmaceuticals",
    "cooperation_type": "joint_project",
    "title": "Comparison of two ligands",
    "summary": "We label two ligands and would like to compare their distribution in your laboratory with ours.",
    "non_confidential_declaration": "y",
    "privacy_ack": "y",
}
FORM = "/en/nuclear-medicine/inquire/cooperation"


def pdf(kilobytes: int = 20) -> bytes:
    """A PDF of about this size whose bytes no other has."""
    from io import BytesIO

    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, NameObject

    writer, out = PdfWriter(), BytesIO()
    page = writer.add_blank_page(width=200, height=200)
    stream = DecodedStreamObject()
    stream.set_data(b"% " + secrets.token_hex(kilobytes * 512 - 200).encode())
    page[NameObject("/Contents")] = writer._add_object(stream)
    writer.write(out)
    return out.getvalue()


def path_of(link: str) -> str:
    """The path of an absolute address."""
    return re.sub(r"^https?://[^/]+", "", link)

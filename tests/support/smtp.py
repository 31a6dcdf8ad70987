"""A real SMTP server on loopback: it collects mails and fails in the ways mail servers fail."""

import asyncio
import re
import ssl
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.processes import free_port

ADDRESS = re.compile(r"https?://[^\s<>\"')\]]+")


@dataclass(frozen=True)
class Mail:
    """One mail as the server got it."""

    raw: bytes
    sender: str
    recipients: tuple[str, ...]
    encrypted: bool
    message: EmailMessage = field(compare=False)

    @property
    def to(self) -> str:
        """The one recipient of the envelope."""
        (recipient,) = self.recipients
        return recipient

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"]).strip()

    @property
    def text(self) -> str:
        """The plain text part."""
        body = self.message.get_body(("plain",))
        assert body is not None, "The mail has no plain text."
        return str(body.get_content())

    @property
    def html(self) -> str | None:
        """The HTML part, if there is one."""
        body = self.message.get_body(("html",))
        return None if body is None else str(body.get_content())

    @property
    def links(self) -> list[str]:
        """The addresses in the plain text, in order."""
        return [found.rstrip(".,;:。，；") for found in ADDRESS.findall(self.text)]

    def link(self, part: str) -> str:
        """The first address that contains `part`: the reader's language stands above the other."""
        found = [link for link in self.links if part in link]
        assert len({link.rpartition("/")[2] for link in found}) == 1, found
        return found[0]


@dataclass
class Faults:
    """What goes wrong; everything is well by default. May be changed while the server runs."""

    sender: str | None = None  # answer to MAIL FROM, such as "451 4.3.0 Later"
    recipient: str | None = None  # answer to RCPT TO
    recipients: dict[str, str] = field(default_factory=dict)  # the same for single addresses
    data: str | None = None  # answer after the message
    greylist: int = 0  # so many attempts of each recipient are put off with 451
    drop_after_data: bool = False  # the message is kept, but the connection ends without an answer
    drop_at_data: bool = False  # the connection ends before the message is kept
    delay: float = 0.0  # seconds between the message and the answer


class Smtp:
    """The server. `mails` is what arrived; `url` is what `COLLAB_SMTP_URL` takes.

    :param tls: `none`; `starttls` (required before MAIL); or `implicit` from the first byte.
    :param login: user and password that must be given.
    """

    def __init__(
        self,
        *,
        folder: Path,
        tls: Literal["none", "starttls", "implicit"] = "none",
        login: tuple[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        self.mails: list[Mail] = []
        self.faults = Faults()
        self.connections = 0
        self.tls = tls
        self.login = login
        self.port = port or free_port()
        self.ca_file: Path | None = None
        self._context: ssl.SSLContext | None = None
        self._attempts: Counter[str] = Counter()
        if tls != "none":
            self.ca_file, key = certificate(folder)
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(self.ca_file, key)
        self._controller: Controller | None = None
        self.start()

    @property
    def url(self) -> str:
        scheme = {"none": "smtp+plain", "starttls": "smtp", "implicit": "smtps"}[self.tls]
        login = f"{self.login[0]}:{self.login[1]}@" if self.login else ""
        return f"{scheme}://{login}127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen (again, on the same port)."""
        options: dict[str, Any] = {"ready_timeout": 60, "data_size_limit": 50 * 1024 * 1024}
        if self.tls == "implicit":
            options["ssl_context"] = self._context
        if self.tls == "starttls":
            options |= {"tls_context": self._context, "require_starttls": True}
        if self.login:
            options |= {"authenticator": self._authenticate, "auth_required": True}
            options |= {"auth_require_tls": self.tls == "starttls"}
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)
        self._controller.start()

    def stop(self) -> None:
        """No longer listen: connections are refused."""
        if self._controller is not None:
            self._controller.stop(no_assert=True)
            self._controller = None

    def clear(self) -> None:
        """Forget the mails so far."""
        self.mails.clear()

    def to(self, address: str) -> list[Mail]:
        """The mails for one address, oldest first."""
        return [mail for mail in self.mails if address in mail.recipients]

    def wait(self, count: int = 1, *, seconds: float = 120) -> list[Mail]:
        """Wait until at least so many mails are there; returns all."""
        deadline = time.monotonic() + seconds
        while len(self.mails) < count:
            if time.monotonic() > deadline:
                subjects = [mail.subject for mail in self.mails]
                raise AssertionError(
                    f"{len(subjects)} instead of {count} mails after {seconds} s: {subjects}"
                )
            time.sleep(0.02)
        return list(self.mails)

    # -- what aiosmtpd calls -----------------------------------------------------------------------------------

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.faults.sender:
            return self.faults.sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self._attempts[address] += 1
        if self._attempts[address] <= self.faults.greylist:
            return "451 4.7.1 Greylisted, try again later"
        if answer := self.faults.recipients.get(address) or self.faults.recipient:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        faults = self.faults
        if faults.data:
            return faults.data
        if faults.drop_at_data:
            return _hang_up(server)
        raw = envelope.original_content or b""
        self.mails.append(
            Mail(
                raw=raw,
                sender=envelope.mail_from or "",
                recipients=tuple(envelope.rcpt_tos),
                encrypted=self.tls == "implicit" or session.ssl is not None,
                message=message_from_bytes(raw, policy=policy.default),
            )
        )
        if faults.delay:
            await asyncio.sleep(faults.delay)
        return _hang_up(server) if faults.drop_after_data else "250 OK: kept"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        given = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self.login, handled=False)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, with its key; made once per folder."""
    public, key = folder / "smtp.pem", folder / "smtp.key"
    if not public.exists():
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ]
        command += [
            "-days",
            "2",
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1,DNS:localhost",
        ]
        command += ["-keyout", str(key), "-out", str(public)]
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return public, key


def _hang_up(server: SMTP) -> str:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()
    return "421 gone"

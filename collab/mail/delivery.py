"""From row to wire, in the worker only: no page ever talks to a mail server.

Delivery is at least once: a worker that dies between the server's taking the mail and our writing so sends it
again when the lease ends, under the same Message-ID.
"""

import re
import smtplib
import ssl
import time
from dataclasses import dataclass, replace
from datetime import datetime
from email.charset import BASE64, QP, SHORTEST, Charset
from email.mime.base import MIMEBase
from email.mime.text import MIMEText
from email.policy import compat32
from typing import Any
from urllib.parse import unquote, urlsplit

import flask_mail
import structlog
from flask import current_app

from collab.core import clock
from collab.mail import rules
from collab.mail.actions import Letter, host_name
from collab.mail.models import Reader
from collab.settings import Settings

log = structlog.get_logger("collab.mail")


@dataclass(frozen=True)
class Failure:
    """Why a mail did not leave.

    :param permanent: trying again is of no use.
    :param server: the server itself is the trouble, not this mail: the next one would fare no better now.
    """

    error: str
    permanent: bool
    server: bool


class Message(flask_mail.Message):
    """Flask-Mail's message, its text and headers folded: 8-bit lines over 998 octets are refused by servers, and
    the standard library's folding of long words and of encoded words changes what they say."""

    def _message(self) -> MIMEBase:
        message = super()._message()
        message.policy = compat32.clone(linesep="\r\n")
        name, address = (
            self.recipients[0] if isinstance(self.recipients[0], tuple) else (None, self.recipients[0])
        )
        to = f"{rules.encoded(name, name=True)} <{address}>" if name else address
        for header, value in (("Subject", rules.encoded(self.subject)), ("To", to)):
            del message[header]
            message[header] = value
        return message

    def _mimetext(self, text: str | None, subtype: str = "plain") -> MIMEText:
        text = (text or "").replace("\r\n", "\n")
        charset = Charset("utf-8")
        charset.header_encoding = SHORTEST
        mostly_ascii = sum(1 for character in text if ord(character) < 128) * 5 >= len(text) * 4
        charset.body_encoding = QP if mostly_ascii else BASE64
        return MIMEText(text, subtype, charset)  # type: ignore[arg-type]


class Connection(flask_mail.Connection):
    """Flask-Mail's connection with the certificate verified and every wait bounded."""

    line: "_Plain | _Ssl"

    def __init__(self, settings: Settings) -> None:
        super().__init__(current_app.extensions["mail"])
        self.settings = settings

    def configure_host(self) -> smtplib.SMTP:
        """Connect, secure and sign in, all within the time one mail may take.

        :raises OSError: among them ``ssl.SSLError`` and all of ``smtplib``'s errors.
        """
        url = urlsplit(self.settings.smtp_url.get_secret_value())
        assert url.hostname
        tls = ssl.create_default_context(cafile=self.settings.smtp_ca_file)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        # smtplib would ask the resolver for this machine's own name, which may hang, and tell it.
        local = host_name(self.settings)
        seconds = self.settings.smtp_timeout
        host: _Plain | _Ssl
        if url.scheme == "smtps":
            host = _Ssl(url.hostname, url.port or 465, local_hostname=local, timeout=seconds, context=tls)
        else:
            host = _Plain(
                url.hostname,
                url.port or (587 if url.scheme == "smtp" else 25),
                local_hostname=local,
                timeout=seconds,
            )
        try:
            host.ehlo()
            if url.scheme == "smtp":
                host.starttls(context=tls)  # raises when the server does not offer it: never in the clear
                host.ehlo()
            if url.username:
                host.login(unquote(url.username), unquote(url.password or ""))
        except BaseException:
            host.close()
            raise
        self.line = host
        return host

    def begin(self, seconds: float) -> None:
        """From now on the conversation may last so long."""
        self.line.begin(seconds)

    def __exit__(self, *_error: object) -> None:
        if self.host is not None:
            try:
                self.host.quit()
            except (OSError, smtplib.SMTPException):  # what was taken stays taken, however the goodbye went
                self.host.close()


class _Deadline:
    """Each exchange ends in time even when the server says a word now and then."""

    ends: float | None = None
    sock: Any
    timeout: float

    def begin(self, seconds: float) -> None:
        self.ends = time.monotonic() + seconds

    def _arm(self) -> None:
        if self.ends is None:
            self.ends = time.monotonic() + self.timeout
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        if self.sock is not None:
            self.sock.settimeout(left)

    def send(self, data: Any) -> None:
        self._arm()
        super().send(data)  # type: ignore[misc]

    def getreply(self) -> tuple[int, bytes]:
        self._arm()
        return super().getreply()  # type: ignore[misc, no-any-return]


class _Plain(_Deadline, smtplib.SMTP):
    pass


class _Ssl(_Deadline, smtplib.SMTP_SSL):
    pass


class Postman:
    """Delivers mails over one connection, opened at the first and again after it broke. Use as a context."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._connection: Connection | None = None

    def __enter__(self) -> "Postman":
        return self

    def __exit__(self, *_error: object) -> None:
        self._hang_up()

    def deliver(self, letter: Letter) -> Failure | None:
        """Send one mail; ``None`` when the server took it."""
        try:
            message = build(letter, self.settings)
            message.as_bytes()
        except (ValueError, TypeError, LookupError, AttributeError, flask_mail.BadHeaderError) as error:
            log.error("mail_cannot_be_built", mail=letter.id, error=type(error).__name__)
            return Failure(
                f"The mail cannot be built ({type(error).__name__}).", permanent=True, server=False
            )
        try:
            connection = self._connected()
        except (
            OSError,
            smtplib.SMTPException,
        ) as error:  # the second is one of the first; said for the reader
            failure = classify(error, passwords(self.settings))
            return Failure(failure.error, permanent=False, server=True)
        try:
            connection.begin(self.settings.smtp_timeout)
            connection.send(message, envelope_from=self.settings.sender)
        except (
            OSError,
            smtplib.SMTPException,
        ) as error:  # the second is one of the first; said for the reader
            failure = classify(error, passwords(self.settings))
            if not isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) or failure.server:
                self._drop()
            if not isinstance(error, smtplib.SMTPException) or isinstance(
                error, smtplib.SMTPServerDisconnected
            ):
                # It took our greeting and stumbled over this mail: whether over the next too, that one will tell.
                return replace(failure, server=False)
            return failure
        except (UnicodeError, ValueError) as error:  # an address this server cannot be told
            self._drop()
            log.error("mail_cannot_be_sent", mail=letter.id, error=type(error).__name__)
            return Failure(f"The mail cannot be sent ({type(error).__name__}).", permanent=True, server=False)
        return None

    def _connected(self) -> Connection:
        if self._connection is None:
            connection = Connection(self.settings)
            connection.__enter__()
            self._connection = connection
        return self._connection

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.begin(2)
            connection.__exit__(None, None, None)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and connection.host is not None:
            connection.host.close()


def build(letter: Letter, settings: Settings, *, date: datetime | None = None) -> Message:
    """The message with exactly these headers: Subject, From, To, Date, Message-ID, Reply-To, Auto-Submitted, thread.

    Checked once more, although ``enqueue`` did: a row may have been changed by hand.

    :raises ValueError: something in it must not stand in a header.
    """
    address = rules.safe_address(letter.to_address)
    name = rules.safe_header(letter.to_name) if letter.to_name else None
    headers = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    if letter.in_reply_to:
        headers["In-Reply-To"] = rules.safe_header(letter.in_reply_to)
        headers["References"] = rules.safe_header(" ".join(letter.references or (letter.in_reply_to,)))
    message = Message(
        subject=rules.safe_header(letter.subject),
        recipients=[(name, address)] if name else [address],
        body=letter.body_text,
        html=letter.body_html,
        sender=settings.sender,
        reply_to=settings.mail_reply_to or None if letter.reader == Reader.PARTNER else None,
        date=(date or clock.now()).timestamp(),
        charset="utf-8",
        extra_headers=headers,
    )
    message.msgId = letter.message_id
    return message


def passwords(settings: Settings) -> tuple[str, ...]:
    """What must never be read in an error: the SMTP account's password, also joined with the name as PLAIN sends it."""
    url = urlsplit(settings.smtp_url.get_secret_value())
    user, password = unquote(url.username or ""), unquote(url.password or "")
    if not password:
        return ()
    return f"\0{user}\0{password}", password, url.password or ""


def classify(error: Exception, secrets: tuple[str, ...] = ()) -> Failure:
    """What an error of the SMTP conversation means for this mail, and for the next."""

    def said(code: int, reply: object) -> str:
        text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
        return rules.printable_error(f"{code} {text}", secrets)

    match error:
        case smtplib.SMTPRecipientsRefused():
            code, reply = next(iter(error.recipients.values()))
            return Failure(said(code, reply), permanent=500 <= code < 600, server=code == 421)
        case smtplib.SMTPDataError():
            return Failure(
                said(error.smtp_code, error.smtp_error),
                permanent=error.smtp_code >= 500,
                server=error.smtp_code == 421,
            )
        case smtplib.SMTPAuthenticationError():
            return Failure(
                f"The mail server refused the sign-in ({error.smtp_code}).", permanent=False, server=True
            )
        case smtplib.SMTPSenderRefused():  # 552: this mail is too large; else the server does not want our sender
            return Failure(
                said(error.smtp_code, error.smtp_error),
                permanent=error.smtp_code == 552,
                server=error.smtp_code != 552,
            )
        case smtplib.SMTPResponseException():
            return Failure(said(error.smtp_code, error.smtp_error), permanent=False, server=True)
        case smtplib.SMTPNotSupportedError():
            if re.search(r"SMTPUTF8", str(error)):
                return Failure(
                    "The mail server does not take this kind of address (SMTPUTF8).",
                    permanent=True,
                    server=False,
                )
            return Failure(
                "The mail server offers no STARTTLS or no sign-in; nothing is sent in the clear.",
                permanent=False,
                server=True,
            )
        case ssl.SSLCertVerificationError():
            reason = rules.printable_error(error.verify_message, secrets)
            return Failure(
                f"The mail server's certificate is not trusted: {reason}", permanent=False, server=True
            )
        case ssl.SSLError():
            return Failure(
                f"TLS with the mail server failed ({error.reason or 'SSL'}).", permanent=False, server=True
            )
        case smtplib.SMTPServerDisconnected() if "timed out" not in str(error):
            return Failure("The mail server closed the connection.", permanent=False, server=True)
        case TimeoutError() | smtplib.SMTPServerDisconnected():
            return Failure("The mail server did not answer in time.", permanent=False, server=True)
        case _:
            reason = getattr(error, "strerror", None) or type(error).__name__
            return Failure(
                rules.printable_error(f"The mail server cannot be reached: {reason}", secrets),
                permanent=False,
                server=True,
            )

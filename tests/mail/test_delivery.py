"""What leaves: the raw message at a real SMTP server."""

from collections.abc import Callable
from email import message_from_bytes, policy
from email.header import decode_header, make_header

import pytest

from collab.core.db import db
from collab.mail import MailState, OutboxMail
from tests.support.smtp import Smtp

# Its statements are our own, or many act at once: tried on both.
pytestmark = pytest.mark.both_databases

Put = Callable[..., int]
Worker = Callable[[], int]


def stored(id: int) -> OutboxMail:
    db.session.rollback()
    found = db.session.get(OutboxMail, id)
    assert found is not None
    return found


def test_the_message_has_exactly_these_headers_and_the_rows_message_id(
    put: Put, smtp: Smtp, worker: Worker
) -> None:
    id = put(to=("王小明", "wang@example.org"), subject="我们已收到您的来函（NM-2026-0042）", html="<p>x</p>")
    worker()
    (got,) = smtp.wait()
    row = stored(id)
    assert (row.state, row.last_error) == (MailState.SENT, None)
    assert got.message_id == row.message_id
    assert (got.sender, got.recipients) == ("noreply@127.0.0.1", ("wang@example.org",))
    assert got.subject == "我们已收到您的来函（NM-2026-0042）"
    assert got.message["To"].addresses[0].display_name == "王小明"
    outer = {name.lower() for name in got.message} - {"x-peer", "x-mailfrom", "x-rcptto"}
    assert outer == {
        "content-type", "mime-version", "subject", "from", "to", "date", "message-id", "auto-submitted",
        "x-auto-response-suppress",
    }  # fmt: skip
    assert got.message["Auto-Submitted"] == "auto-generated"


@pytest.mark.settings(mail_reply_to="office@example.org")
def test_answers_go_to_the_office_and_threads_hold_together(put: Put, smtp: Smtp, worker: Worker) -> None:
    first = stored(put())
    put(in_reply_to=first.message_id, references=[first.message_id])
    put(reader="staff")
    worker()
    one, two, staff = sorted(smtp.wait(3), key=lambda got: (got.message["References"] or "", got.subject))[
        ::-1
    ]
    assert one.message["In-Reply-To"] == first.message_id == one.message["References"]
    assert {two.message["Reply-To"], staff.message["Reply-To"]} == {"office@example.org", None}


@pytest.mark.parametrize(
    "text",
    [
        "中" * 400 + "\n",
        "x" * 5000 + "\n",
        "mixed 中文 " * 300,
        ".\n..\n.leading dots\n",
        "Ends without a line end",
        "\n",
    ],
)
def test_any_text_arrives_whole_and_no_line_is_too_long(
    text: str, put: Put, smtp: Smtp, worker: Worker
) -> None:
    put(text=text, html=f"<p>{text}</p>")
    worker()
    (got,) = smtp.wait()
    assert max(len(line) for line in got.raw.split(b"\r\n")) <= 998
    assert got.raw.isascii()
    assert got.text.rstrip("\r\n").replace("\r\n", "\n") == text.rstrip("\n")


def test_one_connection_carries_a_batch(put: Put, smtp: Smtp, worker: Worker) -> None:
    for n in range(12):
        put(to=f"p{n}@example.org")
    worker()
    assert len(smtp.wait(12)) == 12
    assert smtp.connections == 1


@pytest.mark.settings(smtp_url="")
def test_without_a_server_mails_stay_and_nothing_fails(put: Put, worker: Worker) -> None:
    id = put()
    assert worker() >= 0
    row = stored(id)
    assert (row.state, row.attempts, row.last_error) == (MailState.QUEUED, 0, None)


def test_a_subject_in_the_row_that_became_dangerous_is_parked(put: Put, smtp: Smtp, worker: Worker) -> None:
    import sqlalchemy as sa

    from collab.core.db import unit_of_work

    bad, good = put(), put()
    with unit_of_work():
        db.session.execute(
            sa.update(OutboxMail).where(OutboxMail.id == bad).values(subject="x\r\nBcc: evil@example.com")
        )
    worker()
    (got,) = smtp.wait()
    assert got.message_id == stored(good).message_id
    assert stored(bad).state is MailState.FAILED


@pytest.mark.parametrize(
    "subject",
    [
        "A" * 300 + " é",
        "中" * 130,
        "x" * 300,
        "word " * 60 + "end",
        "=?utf-8?q?not_encoded?= but written so",
        "NM-2026-0042: with the (imaging) group",
    ],
)
def test_any_subject_and_name_arrive_as_written(subject: str, put: Put, smtp: Smtp, worker: Worker) -> None:
    name = 'O\'Néill, "Zoë" (李雷) ' + "李" * 80
    put(to=(name, "zoe@example.org"), subject=subject, html="<p>é</p>")
    worker()
    (got,) = smtp.wait()
    parsed = message_from_bytes(got.raw, policy=policy.default)
    assert [part.defects for part in parsed.walk()] == [[] for _ in parsed.walk()]
    assert parsed["Subject"] == subject
    assert parsed["To"].addresses[0].addr_spec == "zoe@example.org"
    assert len(parsed["To"].addresses) == 1
    plainly = message_from_bytes(got.raw)
    assert str(make_header(decode_header(plainly["To"]))) == f"{name} <zoe@example.org>"
    assert max(len(line) for line in got.raw.split(b"\r\n")) <= 78

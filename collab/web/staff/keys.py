"""The keys, listed: what ``static/js/keys.js`` does, for everybody to read."""

from flask import jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from collab.inquiries.statuses import Step
from collab.web.access import signed_in
from collab.web.staff import bp
from collab.web.staff.bulk_steps import BulkStep

#: The key of each step on an inquiry's page, by the name of its page.
STEP_KEYS: dict[str, str] = {
    "ask": "a",
    "route": "r",
    "refer": "f",
    "decline": "d",
    "decide": "d",
    "ready": "y",
    "own": "w",
    "set_aside": "v",
    "join": "m",
    "confirm": "c",
    "answer_as_host": "h",
    "review": "s",
}

#: The key of each step for many, in the queue.
BULK_KEYS: dict[BulkStep, str] = {
    BulkStep.OWN: "w",
    BulkStep.TAG: "t",
    BulkStep.REMIND: "b",
    BulkStep.VOID: "v",
    BulkStep.EXPORT: "l",
}


@bp.get("/keys")
@signed_in
def keys() -> ResponseReturnValue:
    """All keys on one page; as JSON for the page that shows them over itself."""
    words = {
        "title": _("Keys"),
        "lede": _("Each key presses a link or button that is on the page. None of them acts while you type."),
        "close": _("Close"),
        "switch": _("Use single keys in this browser"),
    }
    if request.accept_mimetypes.best == "application/json":
        groups = [{"title": title, "keys": pairs} for title, pairs in _groups()]
        return jsonify(**words, groups=groups)
    return render_template("staff/keys.html", words=words, groups=_groups())


def _groups() -> list[tuple[str, list[tuple[tuple[str, ...], str]]]]:
    return [
        (
            _("Everywhere"),
            [
                (("?",), _("Show the keys")),
                (("/",), _("Search")),
                (("g", "h"), _("What waits for me")),
                (("g", "q"), _("All inquiries")),
                (("Ctrl", "Enter"), _("Send the form")),
                (("Ctrl", "Shift", "Enter"), _("Send the form, then go to the next inquiry")),
                (("Esc",), _("Leave a field")),
            ],
        ),
        (
            _("In the queue"),
            [
                (("j", "k"), _("Next or previous inquiry")),
                (("Enter",), _("Open it")),
                (("x",), _("Tick it")),
                *(((key,), _("%(step)s: those ticked", step=step.label)) for step, key in BULK_KEYS.items()),
            ],
        ),
        (
            _("At an inquiry"),
            [
                (("j", "k"), _("Next or previous inquiry of the queue you came from")),
                (("u",), _("Back to the queue")),
                (("e",), _("Write a note")),
                ((STEP_KEYS["ask"],), str(Step.ASK.label)),
                ((STEP_KEYS["route"],), str(Step.ROUTE.label)),
                ((STEP_KEYS["refer"],), str(Step.REFER.label)),
                ((STEP_KEYS["decline"],), _("Decline, or decide")),
                ((STEP_KEYS["ready"],), str(Step.READY.label)),
                ((STEP_KEYS["own"],), _("Set the coordinator")),
                ((STEP_KEYS["set_aside"],), str(Step.VOID.label)),
                ((STEP_KEYS["join"],), str(Step.MERGE.label)),
                ((STEP_KEYS["confirm"],), str(Step.CONFIRM.label)),
                ((STEP_KEYS["answer_as_host"],), _("Answer as host")),
                ((STEP_KEYS["review"],), _("Review")),
            ],
        ),
    ]

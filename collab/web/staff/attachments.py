"""The files of an inquiry, always to be saved and never shown in the portal's own origin."""

from flask.typing import ResponseReturnValue

from collab import inquiries
from collab.accounts.permissions import Permission
from collab.inquiries import blind, interests, queries
from collab.web.access import actor, requires
from collab.web.downloads import download_response
from collab.web.staff import bp


@bp.get("/inquiries/<reference>/files/<int:file_id>")
@requires(Permission.SEE_INQUIRIES)
def file(reference: str, file_id: int) -> ResponseReturnValue:
    """One file of an inquiry this person may see."""
    inquiry = inquiries.by_reference(reference, seen_by=actor())
    found = queries.file_of(inquiry, file_id)
    name = blind.file_name(file_id, found.filename) if interests.reads_blind(inquiry, actor()) else ""
    return download_response(found, name=name)

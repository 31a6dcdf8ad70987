"""The periodic jobs of the lower rooms: files, sessions, counters."""

from datetime import timedelta
from functools import partial

from collab import accounts, files
from collab.core import limits
from collab.jobs.rounds import one_by_one, retrying

#: Uploads no form came back for; longer than a saved draft lives, whose file waits with it.
PENDING_LASTS = timedelta(days=8)


def sweep_files() -> int:
    """Forget uploads nobody sent, remove what was discarded, remove bytes nobody knows."""
    done = retrying(lambda: files.forget_older_than(PENDING_LASTS))
    done += one_by_one("files.remove", files.discarded(), files.remove_for_good)
    return done + files.remove_orphans()


def scan_files() -> int:
    """Ask the virus scanner about files it has not answered for."""
    done = 0
    for id in files.unchecked():
        answer = files.scan(id)
        if answer is not None:
            done += one_by_one("files.scan", [id], partial(files.note_scan, answer=answer))
    return done


def sweep_counters() -> int:
    """Forget windows of rate limits that are over."""
    return retrying(limits.sweep)


def sweep_sessions() -> int:
    """Forget sessions, invitations and resets that have long been over."""
    return retrying(accounts.sweep)

"""The periodic job of the figures: what changed is counted."""

from collab.jobs.rounds import retrying
from collab.reports import keeping

#: In one run; the next one takes the rest, and other jobs come to their turn in between.
MOST_BATCHES = 40


def keep_sums() -> int:
    """Count what was noted; where the rules changed, begin anew."""
    retrying(keeping.begin_anew)
    done = 0
    for _batch in range(MOST_BATCHES):
        counted = retrying(keeping.keep)
        done += counted
        if counted < keeping.BATCH:
            break
    return done

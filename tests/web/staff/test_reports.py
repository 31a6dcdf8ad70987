"""The report, the fairness report, their tables and the list of inquiries to take away."""

from collab.jobs.figures import keep_sums
from tests.support.world import World


def test_the_report_opens(staff, world: World) -> None:
    world.received()
    keep_sums()
    head = staff("head")
    head.page("/staff/reports")
    head.page("/staff/reports/fairness")
    for key in "open tracks months outcomes reasons countries areas kinds languages sources".split():
        assert head.get(f"/staff/reports/{key}.csv").status_code == 200
        assert head.get(f"/staff/reports/{key}.xlsx").status_code == 200
    viewer = staff("viewer")
    viewer.page("/staff/reports")

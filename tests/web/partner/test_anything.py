"""Whatever is sent, the answer is a page: never a mishap of ours, and what passes is kept as the rules say."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collab.departments import Department
from tests.support.client import Client
from tests.web.partner.sample import FORMS, address

TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
ODD = st.sampled_from(
    ["", " ", "0", "-1", "null", "true", "\x00", "\ufeff", "\U000e0001", "9" * 400, "a" * 3000, "2027-02-30"]
)


@pytest.mark.one_database
@pytest.mark.settings(submissions_per_address=100_000, submissions_per_network=100_000)
@pytest.mark.parametrize("track", list(FORMS))
def test_no_input_is_a_mishap(client: Client, department: Department, track: str) -> None:
    names = sorted(client.form(address(track), form="inquiry").names - {"attachment", "csrf_token"})

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        changed=st.dictionaries(
            st.sampled_from(names), st.one_of(TEXT, ODD, st.lists(TEXT, max_size=3)), max_size=4
        ),
        button=st.sampled_from([None, "save", "switch_lang"]),
    )
    def run(changed: dict[str, Any], button: str | None) -> None:
        answer = client.fill(address(track), **FORMS[track], _forged=changed, _button=button)
        assert answer.status_code in {200, 303, 422}
        if answer.status_code == 303:
            assert client.get(answer.location).status_code == 200

    run()

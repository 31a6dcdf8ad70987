"""What a submission asks of the database (performance.md)."""

from flask import Flask

from collab.core.db import db
from collab.departments import Department
from tests.support.client import Client
from tests.support.partners import SHARED, TRACKS, pdf
from tests.support.statements import queries, statements

PATH = "/en/nuclear-medicine/inquire/cooperation"


def test_a_submission_with_a_file_costs_at_most_twenty_queries(
    app: Flask, client: Client, department: Department
) -> None:
    fields = {**SHARED, **TRACKS["cooperation"], "area": "radiopharmaceuticals"}
    engine = db.engine
    client.get(PATH)  # the department's settings are read once in a process
    with statements(engine) as shown:
        client.get(PATH)
    spent = []
    for number in range(3):
        with statements(engine) as found:
            answer = client.fill(
                PATH, _files={"attachment": ("note.pdf", pdf())}, email=f"a{number}@example.org", **fields
            )
        assert answer.status_code == 303, answer.text
        spent.append(len(queries(found)) - len(queries(shown)))
        # The file and the inquiry are durable together, or not at all.
        assert found.count("BEGIN IMMEDIATE") == (engine.dialect.name == "sqlite"), "\n".join(found)
    assert max(spent) <= 20, "\n".join(queries(found))
    assert len(set(spent)) == 1, spent

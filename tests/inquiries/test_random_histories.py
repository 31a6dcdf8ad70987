"""Whatever is done in whatever order, by whomever, at whatever time: what must always hold still holds."""

import itertools
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from collab import audit, inquiries, privacy, reviews
from collab.accounts import Actor
from collab.core import clock, tokens
from collab.core.db import db, unit_of_work
from collab.core.errors import Refused
from collab.inquiries import Inquiry, InquiryEvent, Message, Reason, Step, submission, triage
from collab.inquiries.statuses import OPEN, TRANSITIONS, Status
from collab.jobs.inquiries import sweep, turn_clocks
from collab.mail import MailState, OutboxMail
from collab.reviews import Decision
from tests.support.interests import declare_none
from tests.support.reviewing import marks
from tests.support.world import LETTER, MONDAY, World

ROLES = ("coordinator", "head", "host", "reviewer", "viewer")
MOVES = {(move.step.value, move.source, move.target) for move in TRANSITIONS}


class Department(RuleBasedStateMachine):
    """People at work, without looking: most of what they try is refused."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.start = MONDAY
        self.clock = time_machine.travel(MONDAY, tick=False)
        self.traveller = self.clock.start()
        self.people = [
            *(self.world.actor(role, name=f"The {role}") for role in ROLES),
            self.world.actor("head", "host", "coordinator", "reviewer", name="All of them"),
        ]
        self.twins = f"{tokens.new_token()[:20]}@example.org"
        self.ids = [self.world.submit(email=self.twins)]

    def teardown(self) -> None:
        self.clock.stop()
        db.session.rollback()

    def act(self, verb: Callable[[], Any]) -> bool:
        try:
            with unit_of_work():
                verb()
        except Refused:
            return False
        return True

    def one(self, pick: int) -> Inquiry:
        return self.world.get(self.ids[pick % len(self.ids)])

    @rule(seed=st.integers(0, 2**32))
    def some_things_happen(self, seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(16):
            self.something_happens(dice)

    def something_happens(self, dice: random.Random) -> None:
        pick, other, who = dice.randrange(4), dice.randrange(6), dice.choice((0, 0, 0, 1, 1, 2, 3, 4, 5))
        happenings = (
            lambda: self.submit(dice.random() < 0.5),
            lambda: self.decide(pick, who, dice.choice([*reviews.Verdict])),
            lambda: any(self.staff(pick, other, who, what) for what in dice.sample(range(20), 9)),
            lambda: self.partner(pick, dice.choice((0, 1, 1, 1, 2, 3, 4, 5))),
            lambda: self.erase(pick),
            lambda: self.straight_to_the_decision(pick),
            lambda: self.time_passes(dice.choice((0.1, 0.3, 1, 24, 24 * 8, 24 * 31, 24 * 61))),
            self.night,
        )
        dice.choices(happenings, weights=(2, 6, 12, 4, 1, 4, 2, 1))[0]()

    # -- what can happen ---------------------------------------------------------------------------------------

    def submit(self, again: bool) -> None:
        if len(self.ids) < 4:
            address = self.twins if again else f"{tokens.new_token()[:20]}@example.org"
            self.ids.append(self.world.submit(email=address))

    def decide(self, pick: int, who: int, verdict: reviews.Verdict) -> None:
        self.act(lambda: declare_none(self.one(pick), self.people[who]))
        self.act(
            lambda: reviews.decide(
                self.one(pick),
                verdict,
                because="Good.",
                letter=LETTER,
                facts=self.world.facts(verdict.value),
                deviation="For once.",
                by=self.people[who],
            )
        )

    def staff(self, pick: int, other: int, who: int, what: int) -> bool:
        by, world = self.people[who], self.world
        person = self.people[other % 6].user_id
        facts = world.facts("refer")
        soon = world.today + timedelta(days=5)

        def settle(one: Inquiry) -> None:
            for condition in reviews.conditions_of(one)[:1]:
                states = [*reviews.ConditionState]
                reviews.settle(condition, one, states[other % 4], by=by)

        def release(one: Inquiry) -> None:
            for assignment in one.assignments[:1]:
                triage.release(one, assignment, by=by)

        def someone() -> Any:
            return db.session.get_one(inquiries.models.User, person)

        verbs: list[Callable[[Inquiry], Any]] = [
            lambda one: submission.confirm_by_hand(one, by=by),
            lambda one: triage.ask(one, "Which?", answer_by=soon, by=by),
            lambda one: triage.route(one, someone(), due_on=soon, despite=True, by=by),
            lambda one: triage.route(
                one,
                someone(),
                kind=inquiries.AssignmentKind.REVIEWER,
                due_on=soon,
                despite=True,
                by=by,
            ),
            lambda one: triage.host_answers(
                one, [*inquiries.HostAnswer][other % 3], period="later", note="So.", by=by
            ),
            lambda one: reviews.give_opinion(
                one, reviews.Recommendation.DISCUSS, because="Hm.", scores=marks(track=one.track), by=by
            ),
            lambda one: triage.mark_ready(one, by=by),
            lambda one: triage.refer(
                one, reason=Reason.PRESS, office=facts.office, contact=facts.contact, body=LETTER, by=by
            ),
            lambda one: triage.decline(one, reason=Reason.OUT_OF_SCOPE, body=LETTER, by=by),
            lambda one: reviews.take_back(one, by=by),
            lambda one: triage.set_aside(one, reason=Reason.TEST, by=by),
            lambda one: triage.merge(one, into=self.one(other), by=by),
            lambda one: triage.restore(one, by=by),
            lambda one: triage.reopen(one, because="New.", by=by),
            lambda one: triage.withdraw_on_wish(one, note="By mail.", by=by),
            lambda one: reviews.place_free(one, by=by),
            settle,
            lambda one: reviews.fulfil(one, letter=LETTER, by=by),
            release,
            lambda one: triage.expedite(one, by=by),
        ]
        if what in {4, 5}:
            self.act(lambda: declare_none(self.one(pick), by))
        return self.act(lambda: verbs[what](self.one(pick)))

    def partner(self, pick: int, what: int) -> None:
        by = Actor(kind="visitor", network="192.0.2.0/24")
        token = self.world.mails(self.ids[pick % len(self.ids)], "partner")[:1]
        verbs: list[Callable[[Inquiry], Any]] = [
            lambda one: inquiries.confirm(token[0].secrets[0] if token and token[0].secrets else "", by=by),
            lambda one: inquiries.answer(
                one, "Here.", claim_token=None, submission_key=tokens.new_token(), by=by
            ),
            lambda one: inquiries.withdraw(one, by=by),
            lambda one: inquiries.resume(one, by=by),
            lambda one: inquiries.conversation.still_interested(one, by=by),
            lambda one: inquiries.ask_for_erasure(one, by=by),
        ]
        self.act(lambda: verbs[what](self.one(pick)))

    def erase(self, pick: int) -> None:
        self.act(lambda: privacy.erase(self.one(pick), by=self.people[0]))

    def straight_to_the_decision(self, pick: int) -> None:
        """So that what lies behind it is reached often."""
        coordinator, host = self.people[0], self.people[2]
        user = host.user_id
        soon = self.world.today + timedelta(days=5)
        for verb in (
            lambda: submission.confirm_by_hand(self.one(pick), by=coordinator),
            lambda: triage.route(
                self.one(pick),
                db.session.get_one(inquiries.models.User, user),
                due_on=soon,
                despite=True,
                by=coordinator,
            ),
            lambda: declare_none(self.one(pick), host),
            lambda: triage.host_answers(self.one(pick), inquiries.HostAnswer.YES, by=host),
            lambda: triage.mark_ready(self.one(pick), by=coordinator),
        ):
            self.act(verb)

    def time_passes(self, hours: float) -> None:
        self.traveller.shift(timedelta(hours=hours))
        turn_clocks()
        turn_clocks()

    def night(self) -> None:
        sweep()
        db.session.rollback()
        self.ids = [id for id in self.ids if db.session.get(Inquiry, id) is not None] or [self.world.submit()]

    # -- what always holds -------------------------------------------------------------------------------------

    @invariant()
    def counts_are_right(self) -> None:
        assert self.world.counts() == self.world.real_counts()

    @invariant()
    def each_inquiry_is_whole(self) -> None:
        now = clock.now()
        for id in self.ids:
            one = self.world.get(id)
            events = db.session.scalars(
                sa.select(InquiryEvent).filter_by(inquiry_id=id).order_by(InquiryEvent.id)
            ).all()
            moves = [event for event in events if event.to_status is not None]
            assert moves[-1].to_status is one.status, "every change of status is in the history"
            for before, after in itertools.pairwise(moves):
                assert after.from_status is before.to_status
                if after.kind != "taken_back":
                    assert (after.kind, after.from_status, after.to_status) in MOVES
            assert (one.status in OPEN) == (one.due_at is not None), one.status
            assert (one.closed_at is not None) == (one.status not in OPEN | {Status.UNCONFIRMED})
            assert (one.held_from is None) == (one.held_until is None)
            assert one.merged_into_id is None or one.status is Status.VOID
            held = [mail for mail in self.world.mails(id) if mail.state is MailState.HELD]
            letters = db.session.scalars(
                sa.select(Message).where(
                    Message.inquiry_id == id, Message.visible_from > now, Message.taken_back_at.is_(None)
                )
            ).all()
            still = one.held_until is not None and one.held_until > now
            assert len([mail for mail in held if (mail.hold_until or now) > now]) == len(letters) == still
            standing = db.session.scalars(
                sa.select(Decision).filter_by(inquiry_id=id, taken_back_at=None, superseded_at=None)
            ).all()
            assert len(standing) <= 1
            if one.status in {Status.WAITLISTED, Status.CONDITIONAL}:
                assert len(standing) == 1
                interested = {assignment.user_id for assignment in one.assignments}
                assert standing[0].by_id not in interested or one.reopened_at, "nobody decides on his own"
            if one.anonymised_at is not None:
                assert {mail.topic for mail in self.world.mails(id)} <= {"M14"}

    @invariant()
    def the_log_is_whole(self) -> None:
        assert audit.verify() is None

    @invariant()
    def no_mail_is_doubled(self) -> None:
        keys = list(
            db.session.scalars(sa.select(OutboxMail.dedupe_key).where(OutboxMail.dedupe_key.is_not(None)))
        )
        assert len(keys) == len(set(keys))


@pytest.mark.one_database
def test_random_histories(world: World) -> None:
    """Each history goes on in the same department: its inquiries stay."""

    class Here(Department):
        pass

    Here.world = world
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Here,
        settings=settings(
            max_examples=8,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    happened = set(db.session.scalars(sa.select(InquiryEvent.kind).distinct()))
    missing = {step.value for step in Step} - happened
    assert len(missing) < 6, f"too little happened: {sorted(missing)} never did"

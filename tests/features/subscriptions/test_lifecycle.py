"""Which command does each state of a subscription allow?"""

from __future__ import annotations

import pytest

from billwright.features.subscriptions.model import SubscriptionState as State
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.kernel.refusal import Refusal

# Where each state may lead, as the published description of the states has it, but for a trial: it
# owes nothing, and one that ends unpaid is active before it is past due.
LEADS_TO = {
    State.SCHEDULED: {State.TRIALING, State.INCOMPLETE, State.ACTIVE, State.CANCELED},
    State.INCOMPLETE: {State.ACTIVE, State.EXPIRED},
    State.EXPIRED: set(),
    State.TRIALING: {State.ACTIVE, State.PAUSED, State.CANCELED},
    State.ACTIVE: {State.PAST_DUE, State.PAUSED, State.CANCELED},
    State.PAST_DUE: {State.ACTIVE, State.UNPAID, State.CANCELED},
    State.UNPAID: {State.ACTIVE, State.CANCELED},
    State.PAUSED: {State.ACTIVE, State.CANCELED},
    State.CANCELED: set(),
}


@pytest.mark.parametrize("state", State)
def test_a_state_leads_where_it_may_and_everywhere_that_it_may(state):
    reached = {LIFECYCLE.next(state, action) for action in LIFECYCLE.actions(state)}
    assert reached - {state} == LEADS_TO[state]


@pytest.mark.parametrize("state", State)
def test_every_other_action_is_refused_by_name(state):
    for action in Action:
        if LIFECYCLE.allows(state, action):
            continue
        with pytest.raises(Refusal) as refused:
            LIFECYCLE.next(state, action)
        assert refused.value.code == "state_forbids"
        assert refused.value.facts["action"] == action.value
        assert refused.value.facts["state"] == state.value


def test_what_has_ended_stays_so():
    assert set(LIFECYCLE.terminal_states) == {State.EXPIRED, State.CANCELED}

"""Is it always clear who acted?"""

from dataclasses import FrozenInstanceError

import pytest

from billwright.kernel.actor import Actor, ActorKind, system_actor
from billwright.kernel.ids import new_id


def test_a_job_acts_for_nobody_in_particular():
    assert system_actor("renew_due_subscriptions") == Actor(
        ActorKind.SYSTEM, "renew_due_subscriptions", None
    )


def test_an_actor_does_not_change():
    actor = Actor(ActorKind.USER, "someone", new_id())
    with pytest.raises(FrozenInstanceError):
        actor.name = "someone else"

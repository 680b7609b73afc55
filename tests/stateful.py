"""Machines that play at random against a simple model: the same games every time, and as many more
as MORE_GAMES says, other ones (make properties)."""

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

MORE = int(os.environ.get("MORE_GAMES", "1"))  # times as many


def how_many(examples: int, steps: int = 50) -> settings:
    return settings(
        max_examples=examples * MORE,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=MORE == 1,
        # To look for the shortest game takes minutes.
        phases=[Phase.generate] if MORE == 1 else list(Phase),
        suppress_health_check=list(HealthCheck),
    )


def play(machine: type[RuleBasedStateMachine], games: int, steps: int) -> None:
    run_state_machine_as_test(machine, settings=how_many(games, steps))

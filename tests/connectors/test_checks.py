from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from connectors.checks import queue_settings_are_safe


def test_the_portals_own_settings_start() -> None:
    assert queue_settings_are_safe() == []


@pytest.mark.parametrize(
    ("dangerous", "code"),
    [
        ({"timeout": None}, "E001"),
        ({"timeout": 360}, "E001"),
        ({"timeout": 0}, "E001"),
        ({"timeout": -1}, "E001"),
        ({"timeout": "300"}, "E001"),
        ({"timeout": True}, "E001"),
        ({"retry": 60}, "E001"),
        ({"retry": None}, "E001"),
        ({"max_attempts": 0}, "E002"),
        ({"max_attempts": None}, "E002"),
        ({"catch_up": True}, "E003"),
        ({"catch_up": None}, "E003"),
        ({"ack_failures": False}, "E004"),
        ({"save_limit": 250}, "E005"),
        ({"save_limit": 0}, "E005"),
        ({"orm": None}, "E006"),
    ],
)
def test_a_dangerous_queue_setting_stops_the_start(
    dangerous: dict[str, Any], code: str, settings: Any
) -> None:
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, **dangerous}

    with pytest.raises(SystemCheckError, match=rf"\(connectors\.{code}\)"):
        call_command("check")


@pytest.mark.parametrize(
    "left_out",
    ["timeout", "retry", "max_attempts", "catch_up", "ack_failures", "save_limit", "orm"],
)
def test_the_queues_own_default_stops_the_start(left_out: str, settings: Any) -> None:
    settings.Q_CLUSTER = {k: v for k, v in settings.Q_CLUSTER.items() if k != left_out}

    assert len(queue_settings_are_safe()) == 1

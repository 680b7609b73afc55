from typing import Any

from django.conf import settings
from django.core.checks import Error, register


@register()
def queue_settings_are_safe(**kwargs: Any) -> list[Error]:
    """django-q2's defaults repeat long tasks, retry for ever and catch up on missed slots
    (domain.md, section 1); it only warns. Here the portal does not start."""
    queue = settings.Q_CLUSTER
    timeout, retry = _count(queue.get("timeout")), _count(queue.get("retry"))
    rules = {
        "E001": (
            0 < timeout < retry,
            "Q_CLUSTER: retry must exceed timeout, or a long task is picked up twice",
        ),
        "E002": (
            _count(queue.get("max_attempts")) > 0,
            "Q_CLUSTER: max_attempts must not be endless",
        ),
        "E003": (queue.get("catch_up") is False, "Q_CLUSTER: catch_up must be False"),
        "E004": (queue.get("ack_failures") is True, "Q_CLUSTER: ack_failures must be True"),
        "E005": (queue.get("save_limit") == -1, "Q_CLUSTER: save_limit must be -1"),
        "E006": (queue.get("orm") == "default", "Q_CLUSTER: the queue must be in our database"),
    }
    return [
        Error(text, id=f"connectors.{code}") for code, (holds, text) in rules.items() if not holds
    ]


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0

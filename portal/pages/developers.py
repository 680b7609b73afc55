"""The page for whoever writes a partner's program: drawn from what the API itself obeys."""

import json
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.views.generic import TemplateView

from connectors.hub import examples
from connectors.hub.tokens import ACCESS_LIFE, CODE_LIFE, REFRESH_LIFE, Refusal
from connectors.messages.delivery import FIRST_WAIT, GIVE_UP_AFTER, LONGEST_WAIT, READ_SECONDS
from connectors.records import OrderStatus
from connectors.registry import SPECS
from portal.api.errors import BROKEN, SHAPES, TOO_LARGE
from portal.api.openapi import RESPONSES
from portal.api.paging import LARGEST_LIMIT

MINUTE = timedelta(minutes=1)
VERIFY = """\
import base64, hashlib, hmac, time

def is_from_the_hub(secret, headers, body):
    if abs(time.time() - int(headers["webhook-timestamp"])) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    ours = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return any(hmac.compare_digest(ours, each) for each in headers["webhook-signature"].split())
"""


class DevelopersPage(TemplateView):
    template_name = "pages/developers.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "api": self.request.build_absolute_uri("/api"),
            "product": json.dumps(examples.PRODUCT, indent=2, ensure_ascii=False),
            "stock": json.dumps(examples.STOCK),
            "invoice": json.dumps(examples.INVOICE, indent=2),
            "notice": json.dumps(examples.NOTICE, indent=2),
            "verify": VERIFY,
            "statuses": [_status(status) for status in OrderStatus],
            "errors": _errors(),
            "token_errors": sorted({why.value for why in Refusal}),
            "access_minutes": ACCESS_LIFE // MINUTE,
            "code_minutes": CODE_LIFE // MINUTE,
            "refresh_days": REFRESH_LIFE.days,
            "read_seconds": READ_SECONDS,
            "first_wait": FIRST_WAIT.seconds,
            "longest_wait": LONGEST_WAIT // (60 * MINUTE),
            "give_up": GIVE_UP_AFTER.days,
            "rate": settings.API_RATE,
            "megabytes": settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20,
            "most": LARGEST_LIMIT,
        }


def _status(status: OrderStatus) -> dict[str, Any]:
    """The word, what people call it, and which connectors read and report it."""
    return {
        "value": status.value,
        "label": status.label,
        "read_by": [spec.name for spec in SPECS.values() if status in spec.sees],
        "reported_by": [spec.name for spec in SPECS.values() if status in spec.may_report],
    }


def _errors() -> list[tuple[int, str, Any]]:
    shapes = sorted({(code, word) for _kind, code, word in SHAPES} | {TOO_LARGE, BROKEN})
    return [(code, word, RESPONSES[str(code)]["description"]) for code, word in shapes]

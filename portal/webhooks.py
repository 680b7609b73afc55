"""The doorbell: store what a platform says has changed, queue its fetching, answer."""

import logging
from collections.abc import Mapping

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from catalog.tasks import pull_prices, pull_products, pull_stock
from connectors.contract import (
    Ability,
    FulfilmentSource,
    OrderSource,
    PriceSource,
    ProductSource,
    StockSource,
)
from connectors.errors import NotFound, Refused, Unauthorized, Unreadable
from connectors.messages.rings import Task, ring
from orders.tasks import pull_fulfilments, pull_orders

log = logging.getLogger(__name__)

FETCHED_BY: Mapping[type[Ability], Task] = {
    ProductSource: pull_products,
    PriceSource: pull_prices,
    StockSource: pull_stock,
    OrderSource: pull_orders,
    FulfilmentSource: pull_fulfilments,
}


@csrf_exempt
def webhook(request: HttpRequest, secret: str) -> JsonResponse:
    """Any method but POST is a platform's panel asking whether somebody is there
    (platform-apis.md, section 4.2)."""
    if request.method != "POST":
        return JsonResponse({"ok": True})
    try:
        return JsonResponse(ring(secret, request.body, FETCHED_BY), safe=False)
    except NotFound:
        return _refuse(404, "not found")
    except Unauthorized as error:
        return _refuse(403, str(error))
    except (Unreadable, UnreadablePostError) as error:
        return _refuse(400, str(error))
    except Refused as error:
        return _refuse(503, str(error))
    except RequestDataTooBig:
        return _refuse(413, "too large")


def _refuse(status: int, text: str) -> JsonResponse:
    log.warning("a notice was refused with %d: %s", status, text)
    return JsonResponse({"error": text}, status=status)

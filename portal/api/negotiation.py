"""What an answer is written in, and what OPTIONS says. (Nothing here may import DRF's views: they
import this.)"""

from collections.abc import Iterable
from typing import Any

from rest_framework.metadata import BaseMetadata
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AlwaysJson(DefaultContentNegotiation):
    """The hub answers in JSON, whatever a client says that it accepts, and `?format=` is only a
    field of that name."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class Methods(BaseMetadata):
    """The answer to OPTIONS. `Allow` says the same; no client gets an empty body. There is no
    CORS: a shop's browser has no business with its credentials."""

    def determine_metadata(self, request: Request, view: Any) -> dict[str, Any]:
        return {"methods": view.allowed_methods}

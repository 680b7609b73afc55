"""What drf-spectacular reads of our views: what each method says of itself
(connectors.hub.openapi.described), and nothing guessed."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

from connectors.hub.openapi import Description


class Described(AutoSchema):
    """A view's method, as it says of itself."""

    @property
    def _said(self) -> Description | None:
        return getattr(getattr(self.view, self.method.lower()), "described", None)

    def get_summary(self) -> str | None:
        return str(said.summary) if (said := self._said) else super().get_summary()

    def get_override_parameters(self) -> list[Any]:
        return [*said.parameters] if (said := self._said) else super().get_override_parameters()

    def get_request_serializer(self) -> Any:
        return said.request if (said := self._said) else super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        return said.responses if (said := self._said) else super().get_response_serializers()

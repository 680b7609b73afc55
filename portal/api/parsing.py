import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from connectors.errors import Unreadable


class HubParser(BaseParser):
    """JSON, whatever the content type says: clients were seen to send `application/json,`
    (pluggto-api.md, section 1)."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """An object; an empty body is an empty one. Raises `Unreadable`."""
        body = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise Unreadable(f"$: longer than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes")
        try:
            text = body.decode("utf-8-sig")
            data = json.loads(text) if text.strip() else {}
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"$: the body is not JSON: {error}") from error
        if not isinstance(data, dict):
            raise Unreadable(f"$: got {type(data).__name__}, not an object")
        return data

"""What the sandbox hears and answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Request:
    method: str
    path: tuple[str, ...]  # the segments after the platform's name, unquoted
    query: Mapping[str, str]
    headers: Message  # looked up without case
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body or b"null")

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Response:
    data: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """`data` as JSON, or as it is where it is bytes already."""
        return self.data if isinstance(self.data, bytes) else json.dumps(self.data).encode()

    def written(self) -> "Response":
        """The same, with its body as bytes: nothing that happens to the data later changes it."""
        return replace(self, data=self.body)

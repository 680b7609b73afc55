"""Pluga's automations: they know the integrator's identifier and token, subscribe to hooks, poll
lists, and send orders as flat fields."""

from collections.abc import Mapping
from typing import Any

import requests

from connectors.sandbox.hub_orders import Json
from connectors.sandbox.messages import Request, Response
from connectors.sandbox.partner import SECONDS, Tools

MOST_POLLED = 100


class Automations(Tools):
    """Credentials besides a partner's: `url`, its own address here. Of the partner's it uses `hub`,
    api_user and api_secret alone, as identifier and token.

    control: subscribe {event, path}; unsubscribe {event}; sell {flat fields}; poll {event}, which
    answers what its Deduplication Key makes of the list: the ids that it had not seen.
    """

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.hooks: dict[str, str] = {}  # by event: the id that unsubscribes
        self.events: list[Json] = []
        self.seen: dict[str, set[str]] = {}  # by event
        self.answers: list[int] = []  # what it answers next, instead of 200

    def handle(self, request: Request) -> Response:
        """An event. Whatever comes a second time is known by its id."""
        status = self.answers.pop(0) if self.answers else 200
        if status >= 300:
            return Response({"error": "busy"}, status)
        if not self._is_the_hubs(request):
            self.refusals.append(f"{self.name}: an event whose signature is wrong")
            return Response({"error": "signature"}, 401)
        event = request.json()
        if event["id"] != request.headers["webhook-id"]:
            self.refusals.append(f"{self.name}: {event['id']} came under another id")
        self.events.append(event | {"path": "/".join(request.path)})
        return Response({"received": True})

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Json:
        """With the two values at each call; no token is asked for."""
        answer = requests.request(
            method,
            self.credentials["hub"] + path,
            json=body,
            params=query,
            auth=(self.credentials["api_user"], self.credentials["api_secret"]),
            timeout=SECONDS,
        )
        data: Json = answer.json()
        if answer.status_code >= 400:
            self.refusals.append(f"{method} {path}: {data.get('details')}")
        return data

    def control(self, verb: str, data: Mapping[str, Any]) -> Any:
        match verb:
            case "subscribe":
                url = f"{self.credentials['url']}/{data['path']}"
                body = {"event": data["event"], "target_url": url}
                hook = self.call("POST", "/tools/hooks", body)
                self.hooks[data["event"]] = hook["id"]
                return hook
            case "unsubscribe":
                return self.call("DELETE", f"/tools/hooks/{self.hooks.pop(data['event'])}")
            case "sell":
                return self.call("POST", "/tools/orders", dict(data))
            case "poll":
                return self._poll(data["event"])
        return super().control(verb, data)

    def _poll(self, event: str) -> list[str]:
        listed = self.call("GET", "/tools/events", event=event, limit=MOST_POLLED)["events"]
        seen = self.seen.setdefault(event, set())
        new = [each["id"] for each in listed if each["id"] not in seen]
        seen.update(new)
        return new

    def report(self) -> dict[str, Any]:
        return super().report() | {"events": self.events, "hooks": self.hooks}

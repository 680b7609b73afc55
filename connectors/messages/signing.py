"""Signing what we send, by Standard Webhooks (standardwebhooks.com), so that the receiver knows
that it comes from us, whole, and not from long ago."""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime

PREFIX = "whsec_"


def new_webhook_secret() -> str:
    return PREFIX + b64encode(secrets.token_bytes(32)).decode()


def signature_headers(
    webhook_secrets: Iterable[str], message_id: str, moment: datetime, body: bytes
) -> dict[str, str]:
    """One signature for each secret that is in use: while one is being replaced, the receiver may
    know either."""
    timestamp = str(int(moment.timestamp()))
    content = f"{message_id}.{timestamp}.".encode() + body
    signatures = [
        hmac.digest(b64decode(secret.removeprefix(PREFIX)), content, "sha256")
        for secret in webhook_secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{b64encode(s).decode()}" for s in signatures),
    }

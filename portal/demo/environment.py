"""python -m portal.demo.environment: the demo's environment file, with secrets of its own."""

import base64
import secrets


def demo_environment() -> dict[str, str]:
    """The key's beginning keeps it out of production (portal/settings.py)."""
    return {
        "SECRET_KEY": "demo-" + secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "ALLOW_PRIVATE_ADDRESSES": "true",  # its platforms run on this machine
        "SECURE_COOKIES": "false",  # it speaks plain HTTP, to this machine alone
        "REQUIRE_STAFF_2FA": "false",  # its people have no telephones
        "SECONDS_PER_MINUTE": "1",
        "LOG_LEVEL": "WARNING",
    }


if __name__ == "__main__":
    print("\n".join(f"{name}={value}" for name, value in demo_environment().items()))  # noqa: T201

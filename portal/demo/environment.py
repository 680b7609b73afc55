"""python -m portal.demo.environment: the demo's environment file, with secrets of its own."""

import base64
import secrets

if __name__ == "__main__":
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    lines = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": key,
        "ALLOW_PRIVATE_ADDRESSES": "true",  # its platforms run on this machine
        "SECURE_COOKIES": "false",  # it speaks plain HTTP, to this machine alone
        "SECONDS_PER_MINUTE": "1",
        "LOG_LEVEL": "WARNING",
    }
    print("\n".join(f"{name}={value}" for name, value in lines.items()))  # noqa: T201

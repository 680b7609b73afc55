from hashlib import sha256
from hmac import compare_digest


def digest(secret: str) -> str:
    """SHA-256 in hex. Enough for what we generate: nobody searches through 128 random bits."""
    return sha256(secret.encode()).hexdigest()


def matches(secret: str, hashed: str) -> bool:
    return compare_digest(digest(secret), hashed)

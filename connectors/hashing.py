from hashlib import sha256
from hmac import compare_digest

from django.utils.crypto import salted_hmac


def digest(secret: str) -> str:
    """SHA-256 in hex. Enough for what we generate: nobody searches through 128 random bits."""
    return sha256(secret.encode()).hexdigest()


def keyed(text: str) -> str:
    """Names what may be guessed, a password that a person chose: from this, without our key,
    nobody can tell a right guess."""
    return salted_hmac("connectors.hashing", text, algorithm="sha256").hexdigest()


def matches(secret: str, hashed: str) -> bool:
    return compare_digest(digest(secret), hashed)

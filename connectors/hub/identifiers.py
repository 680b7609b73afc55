import re
import secrets
import time
from datetime import UTC, datetime
from hashlib import sha256

OLDEST = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())  # no portal is older


def new_public_id() -> str:
    """24 hexadecimal characters that begin with the time, in the shape of the hub's ids."""
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"


def made_at(public_id: str) -> datetime | None:
    """The second at which `new_public_id` made it; None where it is none of those."""
    if not re.fullmatch("[0-9a-f]{24}", public_id):
        return None
    seconds = int(public_id[:8], 16)
    return datetime.fromtimestamp(seconds, UTC) if OLDEST <= seconds <= time.time() else None


def public_id_of(*key: object) -> str:
    """The same for the same key, in the same shape: what is known by it elsewhere is recognised
    even where our own record of it was lost."""
    return sha256("\n".join(map(str, key)).encode()).hexdigest()[:24]

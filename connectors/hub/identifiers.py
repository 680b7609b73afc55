import secrets
import time
from hashlib import sha256


def new_public_id() -> str:
    """24 hexadecimal characters that begin with the time, in the shape of the hub's ids."""
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"


def public_id_of(*key: object) -> str:
    """The same for the same key, in the same shape: what is known by it elsewhere is recognised
    even where our own record of it was lost."""
    return sha256("\n".join(map(str, key)).encode()).hexdigest()[:24]

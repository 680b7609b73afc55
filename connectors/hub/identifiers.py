import secrets
import time


def new_public_id() -> str:
    """24 hexadecimal characters that begin with the time, in the shape of the hub's ids."""
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"

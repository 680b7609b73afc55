"""Rows are named by numbers, also in addresses and forms, where anything may be typed."""


def to_id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

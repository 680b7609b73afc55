from connectors.rocky.spec import SPEC

__all__ = ["SPEC"]

"""How often a company may call Olist ERP's API (platform-apis.md, section 3.3)."""

import time
from collections import deque
from dataclasses import dataclass, field

from connectors.sandbox.tiny_answers import Fault

# Always counted as batches, whatever the plan.
BATCHES = frozenset({"produto.incluir.php", "produto.alterar.php"})
BATCHES_PER_MINUTE = 5


@dataclass
class Limits:
    """The plan. No calls per minute: nobody counts. `seconds` is how long a minute is."""

    per_minute: int = 0
    seconds: float = 60
    spent: dict[bool, deque[float]] = field(default_factory=lambda: {False: deque(), True: deque()})
    refused: int = 0

    def spend(self, service: str) -> None:
        """Raises `Fault` where the last minute's calls are used up."""
        batch = service in BATCHES
        limit = BATCHES_PER_MINUTE if batch else self.per_minute
        if not self.per_minute:
            return
        now, spent = time.monotonic(), self.spent[batch]
        while spent and spent[0] <= now - self.seconds:
            spent.popleft()
        if len(spent) >= limit:
            self.refused += 1
            raise Fault(6, "API Bloqueada - Excedido o número de acessos à API")
        spent.append(now)

    @property
    def headers(self) -> dict[str, str]:
        return {"x-limit-api": str(self.per_minute)} if self.per_minute else {}

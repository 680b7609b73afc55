"""Stands before the web servers, as a proxy does: gives each connection to one of them in turn, and
to the next where that one does not take it.

python -m tests.scale.balancer ADDRESS:PORT SERVER:PORT …
"""

import asyncio
import sys
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from itertools import cycle

PATIENCE = 1  # seconds for a server to take a connection
AT_ONCE = 65_536


async def balance(bind: str, *servers: str) -> None:
    turns = cycle(servers)

    async def pass_on(caller: StreamReader, to_caller: StreamWriter) -> None:
        for _server in servers:
            with suppress(OSError):
                server, to_server = await _connect(next(turns))
                await _talk((caller, to_server), (server, to_caller))
                break
        to_caller.close()

    address, port = bind.split(":")
    async with await asyncio.start_server(pass_on, address, int(port)) as listener:
        await listener.serve_forever()


async def _connect(server: str) -> tuple[StreamReader, StreamWriter]:
    address, port = server.split(":")
    async with asyncio.timeout(PATIENCE):
        return await asyncio.open_connection(address, int(port))


async def _talk(*ways: tuple[StreamReader, StreamWriter]) -> None:
    """Until one of the two has hung up."""
    copying = [asyncio.create_task(_copy(*way)) for way in ways]
    await asyncio.wait(copying, return_when=asyncio.FIRST_COMPLETED)
    for task, (_reader, writer) in zip(copying, ways, strict=True):
        task.cancel()
        writer.close()


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(ConnectionError):
        while some := await reader.read(AT_ONCE):
            writer.write(some)
            await writer.drain()


if __name__ == "__main__":
    asyncio.run(balance(*sys.argv[1:]))

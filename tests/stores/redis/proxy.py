"""What stands between a store and its server: a line that can be cut, or slow."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Proxy:
    """Hands bytes on, both ways."""

    def __init__(self, to: int) -> None:
        self.port = 0
        self.cut = False
        """Whether what is sent is lost, in both directions; connections stay."""
        self.late = 0.0
        """Seconds that replies are held."""
        self._to = to
        self._tasks: set[asyncio.Task[None]] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._to)
        for source, sink, back in (
            (reader, there_writer, False),
            (there_reader, writer, True),
        ):
            self._tasks.add(asyncio.create_task(self._hand_on(source, sink, back=back)))

    async def _hand_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, back: bool
    ) -> None:
        loop = asyncio.get_running_loop()
        try:
            while data := await source.read(1 << 16):
                if self.cut:
                    continue
                if back and self.late:
                    loop.call_later(self.late, sink.write, data)
                else:
                    sink.write(data)
        except OSError:
            pass
        finally:
            sink.transport.abort()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def proxy(to: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    line = Proxy(to)
    listener = await asyncio.start_server(line.connected, "127.0.0.1", 0, ssl=tls)
    line.port = listener.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        listener.close()
        await line.close()

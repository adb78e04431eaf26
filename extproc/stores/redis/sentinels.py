"""Whom Sentinels name as the master, asked by redis-py.

Rule: imported where a store is opened that has Sentinels, and nowhere else: redis-py takes 7 MiB.
Source: Redis' "Sentinel client spec".
"""

from collections.abc import Sequence
from typing import Final

from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from extproc.errors import StoreUnavailable
from extproc.stores.redis.address import Host

_ANSWER: Final = 0.3
"""Seconds that a Sentinel has to answer."""
_NOBODY: Final = (RedisError, AttributeError, LookupError, TypeError, ValueError)
"""The last four are how redis-py meets an answer that no Sentinel would give."""


async def master(hosts: Sequence[Host], name: str, password: str = "") -> Host:
    """Who the first Sentinel that knows says is the master.

    Raise StoreUnavailable where none of them knows one of this name.
    """
    given = {
        "socket_timeout": _ANSWER,
        "socket_connect_timeout": _ANSWER,
        "password": password or None,
        "retry": Retry(NoBackoff(), 0),
    }
    sentinels = Sentinel(hosts, sentinel_kwargs=given)  # type: ignore[no-untyped-call]
    try:
        host, port = await sentinels.discover_master(name)
    except _NOBODY as error:
        raise StoreUnavailable("no Sentinel names a master") from error
    finally:
        for sentinel in sentinels.sentinels:
            await sentinel.aclose()
    return str(host), int(port)

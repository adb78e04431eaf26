"""The gRPC health checking protocol (grpc.health.v1), which Kubernetes' ``grpc:`` probes speak."""

import asyncio
from typing import Any, Final

import grpc

from extproc._pb.grpc.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

SERVICES: Final = frozenset(
    {
        "",
        "envoy.service.auth.v3.Authorization",
        "envoy.service.ext_proc.v3.ExternalProcessor",
    }
)


class Health:
    """One status for all services: they start and end together."""

    def __init__(self) -> None:
        self._status = HealthCheckResponse.NOT_SERVING
        self._changed = asyncio.Event()

    def serve(self, *, serving: bool) -> None:
        """Change the status, and tell everybody who watches."""
        response = HealthCheckResponse
        self._status = response.SERVING if serving else response.NOT_SERVING
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def check(self, request: HealthCheckRequest, context: Any) -> HealthCheckResponse:
        if request.service not in SERVICES:
            await context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return HealthCheckResponse(status=self._status)

    async def watch(self, request: HealthCheckRequest, context: Any) -> None:
        """Send the status now and whenever it changes, until the caller leaves."""
        while True:
            changed = self._changed
            known = request.service in SERVICES
            status = self._status if known else HealthCheckResponse.SERVICE_UNKNOWN
            await context.write(HealthCheckResponse(status=status))
            await changed.wait()

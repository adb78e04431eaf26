"""The gRPC health checking protocol (grpc.health.v1), which Kubernetes' ``grpc:`` probes speak."""

import asyncio
from typing import Any, Final

import grpc

from extproc._pb.grpc.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

LIVENESS: Final = "liveness"
"""Answers as long as the process does: one that drains, or waits for its store, is no reason to
restart it, and a restart would cut what it still serves."""
SERVICES: Final = frozenset(
    {
        "",
        "readiness",
        "envoy.service.auth.v3.Authorization",
        "envoy.service.ext_proc.v3.ExternalProcessor",
    }
)


class Health:
    """One status for all services, which start and end together, but for ``liveness``."""

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
        status = self._of(request.service)
        if status == HealthCheckResponse.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return HealthCheckResponse(status=status)

    async def watch(self, request: HealthCheckRequest, context: Any) -> None:
        """Send the status now and whenever it changes, until the caller leaves."""
        while True:
            changed = self._changed
            await context.write(HealthCheckResponse(status=self._of(request.service)))
            await changed.wait()

    def _of(self, service: str) -> HealthCheckResponse.ServingStatus.ValueType:
        if service == LIVENESS:
            return HealthCheckResponse.SERVING
        return self._status if service in SERVICES else HealthCheckResponse.SERVICE_UNKNOWN

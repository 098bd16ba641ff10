"""Who tells: resources by OpenTelemetry's semantic conventions, one for each bot and one for the sidecar.

`OTEL_RESOURCE_ATTRIBUTES` is added to all of them; the name of a service is ours.
"""

from __future__ import annotations

import socket

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.semconv.attributes.service_attributes import SERVICE_NAME, SERVICE_VERSION

from deskwatch.version import __version__

SERVICE = "deskwatch"
"""The sidecar's service name, and the namespace of the bots."""
HOST_NAME = "host.name"
SERVICE_INSTANCE_ID = "service.instance.id"
SERVICE_NAMESPACE = "service.namespace"
SCOPE = InstrumentationScope(SERVICE, __version__)


class HashedResource(Resource):
    """A resource that knows its hash: the encoders ask for it with each record, and it takes 10 µs to compute."""

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource.attributes, resource.schema_url)
        self._hash = super().__hash__()

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or super().__eq__(other)


class Resources:
    """The resources of one sidecar and its bots, each made when it is first asked for.

    Args:
        instance: What tells this home's sidecar and its bots from others of their names, also after a restart.
    """

    def __init__(self, instance: str) -> None:
        own = Resource({HOST_NAME: socket.gethostname(), SERVICE_INSTANCE_ID: instance})
        self._shared = Resource.create().merge(own)
        self._bots: dict[str, Resource] = {}

    def of_bot(self, bot: str) -> Resource:
        """A bot's: its name is the service's."""
        resource = self._bots.get(bot)
        if resource is None:
            own = Resource({SERVICE_NAME: bot, SERVICE_NAMESPACE: SERVICE})
            resource = self._bots[bot] = HashedResource(self._shared.merge(own))
        return resource

    def of_sidecar(self) -> Resource:
        """The sidecar's own, for the metrics."""
        return HashedResource(self._shared.merge(Resource({SERVICE_NAME: SERVICE, SERVICE_VERSION: __version__})))

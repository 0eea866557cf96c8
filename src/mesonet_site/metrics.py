"""Figures for Prometheus: what this process has answered, and the queue as the database has it.

The queue's figures are the same whichever web process is asked; the requests are its own.
"""

import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db.models import Count, Min, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from classifiers.conf import worker_timeout
from classifiers.models import Worker
from mesonet_site.api.models import Detection, Total

_REQUESTS = Counter("mesonet_requests", "Answers of this process", ["status"])
_SECONDS = Histogram(
    "mesonet_request_seconds",
    "Time that this process took to answer",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60),
)


class RequestMetrics:
    """Middleware that counts answers and how long they took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request and count it."""
        started = time.perf_counter()
        response = self.get_response(request)
        _SECONDS.observe(time.perf_counter() - started)
        _REQUESTS.labels(response.status_code).inc()
        return response


class _Queue(Collector):
    """What waits and works in the background."""

    def describe(self) -> Iterable[Metric]:
        return ()  # the database need not be there yet

    def collect(self) -> Iterable[Metric]:
        jobs = GaugeMetricFamily("mesonet_queue_jobs", "Unfinished detections", labels=["state"])
        unfinished = Detection.objects.filter(state__in=Detection.UNFINISHED)
        counts = dict(unfinished.order_by().values_list("state").annotate(Count("id")))
        for state in Detection.UNFINISHED:
            jobs.add_metric([str(state)], counts.get(str(state), 0))
        yield jobs
        images, done, stored, oldest = unfinished.aggregate(
            *(Sum("images"), Sum("processed"), Sum("stored_bytes"), Min("created_at"))
        ).values()
        age = (timezone.now() - oldest).total_seconds() if oldest else 0
        since = timezone.now() - timedelta(seconds=worker_timeout())
        workers = Worker.objects.filter(seen_at__gte=since).count()
        yield _gauge("queue_images", "Images that wait in unfinished detections", images, done)
        yield _gauge("queue_bytes", "Bytes of the images that wait", stored)
        yield _gauge("queue_oldest_seconds", "Age of the oldest unfinished detection", age)
        yield _gauge("workers", "Workers that have lately given a sign of life", workers)
        yield CounterMetricFamily(
            "mesonet_background_images", "Images scored in the background", Total.of("images")
        )


def _gauge(name: str, text: str, value: float | None, less: int | None = 0) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"mesonet_{name}", text, (value or 0) - (less or 0))


REGISTRY.register(_Queue())


def metrics(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The figures as text."""
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)

"""Whether somebody works in the background."""

from datetime import timedelta

from django.utils import timezone

from classifiers.conf import worker_timeout
from classifiers.models import Worker


def alive() -> bool:
    """Whether a worker has given a sign of life lately."""
    since = timezone.now() - timedelta(seconds=worker_timeout())
    return Worker.objects.filter(seen_at__gte=since).exists()

"""Disks that fill up and databases that are locked, at any moment of any request."""

import errno
import random
import sqlite3
from collections.abc import Iterator
from typing import Any
from unittest import mock

from tests import hostile_images
from tests.fire import web


def requests(count: int, draw: random.Random) -> Iterator[tuple[bytes, int]]:
    """Good requests, and after how many writes the disk is full."""
    images = [web.file("image", hostile_images.encode(hostile_images.noise(40, 40), "PNG"))]
    later = web.multipart("/api/v1/detections", *images * 12, web.field("faces", "whole"))
    at_once = web.multipart("/api/v1/detections", *images, web.field("faces", "whole"))
    checks = [web.multipart("/api/v1/detections", *images * number) for number in (1, 12)]
    known = [later, later, at_once, *checks, *web.good()]
    for number in range(count):
        yield known[number] if number < len(known) else draw.choice(known), draw.randrange(14)


class FullDisk:
    """Every file is written through storages, which fail from some moment on."""

    def __init__(self, site: web.Site) -> None:
        self._site = site

    def hold(self, given: tuple[bytes, int]) -> str | None:
        """What is wrong with how a request was answered, or with what it left behind."""
        from django.core.files.storage import FileSystemStorage

        request, left = given
        save = FileSystemStorage._save

        def save_or_fail(storage: Any, name: str, content: Any) -> str:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return str(save(storage, name, content))

        before = self._stored()
        with mock.patch.object(FileSystemStorage, "_save", save_or_fail):
            wrong = self._site.hold(request)
        stored = self._stored() - before
        if left < 0 and stored:
            return wrong or f"left {len(stored)} files behind"
        return wrong

    def _stored(self) -> set[str]:
        folder = self._site.home / "uploads"
        return {path.as_posix() for path in folder.rglob("*") if path.is_file()}


class Locked:
    """Somebody else writes to the database for as long as the request takes."""

    def __init__(self, site: web.Site) -> None:
        from django.db import connection

        self._site = site
        connection.close()
        connection.settings_dict["OPTIONS"]["timeout"] = 0.05
        self._path = connection.settings_dict["NAME"]

    def hold(self, given: tuple[bytes, int]) -> str | None:
        """What is wrong with how a request was answered; None where all is well."""
        with sqlite3.connect(self._path, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            try:
                return self._site.hold(given[0])
            finally:
                other.execute("ROLLBACK")

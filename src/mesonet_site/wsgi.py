"""The WSGI application for `mesonet_site.web` and other servers."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mesonet_site.settings")

application = get_wsgi_application()

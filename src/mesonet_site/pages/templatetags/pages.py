"""Small things that templates need."""

from collections.abc import Mapping

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def attributes(values: Mapping[str, object]) -> SafeString:
    """Attributes of an element; numbers as machines read them, whatever the language."""
    return format_html_join("", ' {}="{}"', ((name, f"{value}") for name, value in values.items()))

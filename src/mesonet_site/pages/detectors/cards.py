"""The cards of released models as HTML."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from mesonet.weights import Released

_DEEPER = {"h1": "h3", "h2": "h3", "h3": "h4", "h4": "h5"}


@lru_cache
def card(released: Released) -> SafeString:
    """A card without its title, as HTML without any HTML of its own."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    text = released.card.read_text(encoding="utf-8").split("\n", 1)[1]
    tokens = [_fitting(token) for token in markdown.parse(text)]
    page = str(markdown.renderer.render(tokens, markdown.options, {}))
    page = page.replace("<table>", '<div class="wide" tabindex="0"><table>')
    return mark_safe(page.replace("</table>", "</table></div>"))  # noqa: S308 - HTML is off


def _fitting(token: Token) -> Token:
    """Headings below the page's own, and only links that lead somewhere."""
    token.tag = _DEEPER.get(token.tag, token.tag)
    if token.children:
        token.children = _without_files(token.children)
    return token


def _without_files(tokens: Sequence[Token]) -> list[Token]:
    kept: list[Token] = []
    open_links: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            open_links.append(_leads_somewhere(token.attrGet("href")))
            if not open_links[-1]:
                continue
        elif token.type == "link_close" and not open_links.pop():
            continue
        kept.append(token)
    return kept


def _leads_somewhere(address: Any) -> bool:
    return urlsplit(str(address)).scheme in ("http", "https")

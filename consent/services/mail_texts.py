"""Mails to talents: a text, and the same text as HTML, in the active language."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import gettext

ITEM = "- "
MANY_NEWLINES = re.compile(r"\n{3,}")
# Mail programs keep only the styles that stand on the elements themselves. Both color schemes have enough contrast.
STYLES = {
    "page_style": (
        "max-width:560px;margin:0 auto;padding:24px;background:#ffffff;color:#14171f;"
        "font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Hiragino Sans','Noto Sans',sans-serif"
    ),
    "quiet_style": "margin:0 0 16px;color:#59606e;font-size:14px;word-break:break-all",
    "button_style": (
        "display:inline-block;padding:12px 20px;border-radius:8px;background:#1f5fd6;color:#ffffff;"
        "font-weight:600;text-decoration:none"
    ),
}


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content: bytes
    type: str


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a mail between empty lines: lines of text, items of a list, or only a link."""

    lines: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    link: str = ""
    label: str = ""


def make_mail(
    subject: str, template: str, context: Mapping[str, Any], to: str, attachments: Sequence[Attachment] = ()
) -> EmailMultiAlternatives:
    """A mail with the text of this template. A line with only a link becomes a button in the HTML."""
    subject = " ".join(subject.split())
    text = MANY_NEWLINES.sub("\n\n", render_to_string(template, dict(context))).strip() + "\n"
    mail = EmailMultiAlternatives(subject, text, settings.DEFAULT_FROM_EMAIL, [to])
    mail.attach_alternative(render_html(subject, text), "text/html")
    for one in attachments:
        mail.attach(one.name, one.content, one.type)
    return mail


def render_html(subject: str, text: str) -> str:
    blocks = [_make_block(part) for part in text.strip().split("\n\n")]
    context = {"subject": subject, "blocks": blocks, "studio": settings.VOICEHUB_COMPANY, **STYLES}
    return render_to_string("consent/mail/base.html", context)


def _make_block(part: str) -> Block:
    lines = tuple(part.strip().splitlines())
    if len(lines) == 1 and lines[0].startswith(settings.VOICEHUB_BASE_URL) and " " not in lines[0]:
        return Block(link=lines[0], label=gettext("Open the page"))
    if all(line.startswith(ITEM) for line in lines):
        return Block(items=tuple(line.removeprefix(ITEM) for line in lines))
    return Block(lines=lines)

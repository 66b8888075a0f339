"""Sending callbacks: a POST of JSON, tried again only where no answer came."""

import json
import logging
import re
from threading import Thread
from typing import Any

import requests

from voices.sandbox import choices
from voices.sandbox.faults import Rule
from voices.sandbox.house import House

logger = logging.getLogger(__name__)


def send(house: House, address: str, body: dict[str, Any]) -> None:
    """Post `body` to `address` as the rules for `callback` want it; returns when that is over."""
    rules = house.faults.called("callback")
    text = json.dumps(body)
    copies = 1
    for rule in rules:
        if rule.action == "lose_callback":
            return
        if rule.action == "delay_callback":
            house.closing.wait(rule.number)
        if rule.action == "broken_callback":
            text = re.sub(r',(\s*"status")', r"\1", json.dumps(body, indent=2))
        if rule.action == "duplicate_callback":
            copies = _copies(rule)
    _send_copies(house, address, text, copies)


def _copies(rule: Rule) -> int:
    return int(rule.number) if rule.number is not None else 2


def _send_copies(house: House, address: str, text: str, copies: int) -> None:
    """All copies at once, as a vendor's own race would."""
    posting = [Thread(target=_post, args=(house, address, text), daemon=True) for _ in range(copies)]
    for thread in posting:
        thread.start()
    for thread in posting:
        thread.join()


def _post(house: House, address: str, text: str) -> None:
    pause = choices.CALLBACK_PAUSE
    for _ in range(choices.CALLBACK_TRIES):
        if house.closing.is_set() or _posted(address, text):
            return
        house.closing.wait(pause)
        pause *= 2
    logger.warning("A callback found nobody who listens")


def _posted(address: str, text: str) -> bool:
    """Whether an HTTP answer came, of any status."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            session.post(
                address,
                data=text.encode(),
                headers={"Content-Type": "application/json"},
                timeout=choices.CALLBACK_TIMEOUT,
                allow_redirects=False,
            )
    except requests.RequestException:
        return False
    return True

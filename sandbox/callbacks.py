"""Sending callbacks: a POST of JSON, tried again only where no answer came."""

import json
import logging
import re
import secrets
from threading import Thread
from typing import Any

import requests

from sandbox import clock, vendor_defaults
from sandbox.context import House
from sandbox.faults import CALLBACK, TRAINING, Rule

logger = logging.getLogger(__name__)


def send(house: House, address: str, body: dict[str, Any]) -> None:
    """Post `body` to `address` as the rules for `callback` want it; returns when that is over."""
    rules = {rule.action: rule for rule in house.faults.called(CALLBACK)}
    if "delay" in rules:
        clock.wait(clock.now() + (rules["delay"].number or 0), house.closing)
    if "forge" in rules:
        _post(house, address, json.dumps(forged(body)))
    if "lose" in rules:
        return
    if "reorder" in rules:
        house.overtaking.let_one_pass(house.closing)
    _send_copies(house, address, _text(body, rules), _copies(rules.get("duplicate")))
    house.overtaking.sent()


def send_early(house: House, address: str, body: dict[str, Any]) -> None:
    """For a training that begins: post what says that it is over, if a rule wants that. It is tried once."""
    if any(rule.action == "early" for rule in house.faults.called(TRAINING)):
        _posted(address, json.dumps(body))


def forged(body: dict[str, Any]) -> dict[str, Any]:
    """The same kind of callback, about a thing that nobody knows: it is finished."""
    ids = {name: secrets.token_hex(5) for name in ("id", "uuid", "voice", "voice_uuid") if name in body}
    return body | ids | {"status": "finished"}


def _text(body: dict[str, Any], rules: dict[str, Rule]) -> str:
    if "oversize" in rules:
        body = body | {"padding": "x" * vendor_defaults.OVERSIZE}
    if "broken" in rules:
        return re.sub(r",\n", "\n", json.dumps(body, indent=2), count=1)
    return json.dumps(body)


def _copies(duplicate: Rule | None) -> int:
    if duplicate is None:
        return 1
    return int(duplicate.number) if duplicate.number is not None else 2


def _send_copies(house: House, address: str, text: str, copies: int) -> None:
    """All copies at once, as a vendor's own race would."""
    posting = [Thread(target=_post, args=(house, address, text), daemon=True) for _ in range(copies)]
    for thread in posting:
        thread.start()
    for thread in posting:
        thread.join()


def _post(house: House, address: str, text: str) -> None:
    pause = vendor_defaults.CALLBACK_PAUSE
    for _ in range(vendor_defaults.CALLBACK_TRIES):
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
                timeout=vendor_defaults.CALLBACK_TIMEOUT,
                allow_redirects=False,
            )
    except requests.RequestException:
        return False
    return True

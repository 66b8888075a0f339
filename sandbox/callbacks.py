"""Sending callbacks. A callback is a POST of JSON; it is sent again only if there is no response."""

import json
import logging
import re
import secrets
from threading import Thread
from typing import Any

import requests

from sandbox import clock, vendor_defaults
from sandbox.context import SandboxContext
from sandbox.faults import CALLBACK, TRAINING, Rule

logger = logging.getLogger(__name__)


def send_callback(context: SandboxContext, address: str, body: dict[str, Any]) -> None:
    """Post `body` to `address` under the fault rules for `callback`. Return when the last attempt has ended."""
    rules = {rule.action: rule for rule in context.faults.match_call(CALLBACK)}
    if "delay" in rules:
        clock.wait_until(clock.now() + (rules["delay"].number or 0), context.closing)
    if "forge" in rules:
        _post_with_retries(context, address, json.dumps(make_forged_body(body)))
    if "lose" in rules:
        return
    if "reorder" in rules:
        context.reordering.wait_for_another(context.closing)
    _send_copies(context, address, _encode_body(body, rules), _count_copies(rules.get("duplicate")))
    context.reordering.mark_sent()


def send_early_callback(context: SandboxContext, address: str, body: dict[str, Any]) -> None:
    """Post `body`, which reports success, when a training starts, if the fault `early` is set. It is sent once."""
    if any(rule.action == "early" for rule in context.faults.match_call(TRAINING)):
        _try_post(address, json.dumps(body))


def make_forged_body(body: dict[str, Any]) -> dict[str, Any]:
    """The same kind of callback with unknown ids and the status `finished`."""
    ids = {name: secrets.token_hex(5) for name in ("id", "uuid", "voice", "voice_uuid") if name in body}
    return body | ids | {"status": "finished"}


def _encode_body(body: dict[str, Any], rules: dict[str, Rule]) -> str:
    if "oversize" in rules:
        body = body | {"padding": "x" * vendor_defaults.OVERSIZE_BYTES}
    if "broken" in rules:
        return re.sub(r",\n", "\n", json.dumps(body, indent=2), count=1)
    return json.dumps(body)


def _count_copies(duplicate: Rule | None) -> int:
    if duplicate is None:
        return 1
    return int(duplicate.number) if duplicate.number is not None else 2


def _send_copies(context: SandboxContext, address: str, text: str, copies: int) -> None:
    """Send all copies at once, to reproduce a race at the vendor."""
    threads = [Thread(target=_post_with_retries, args=(context, address, text), daemon=True) for _ in range(copies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _post_with_retries(context: SandboxContext, address: str, text: str) -> None:
    pause = vendor_defaults.CALLBACK_RETRY_SECONDS
    for _ in range(vendor_defaults.CALLBACK_ATTEMPTS):
        if context.closing.is_set() or _try_post(address, text):
            return
        context.closing.wait(pause)
        pause *= 2
    logger.warning("A callback got no response after %d attempts", vendor_defaults.CALLBACK_ATTEMPTS)


def _try_post(address: str, text: str) -> bool:
    """Whether an HTTP response arrived, whatever its status."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            session.post(
                address,
                data=text.encode(),
                headers={"Content-Type": "application/json"},
                timeout=vendor_defaults.CALLBACK_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
    except requests.RequestException:
        return False
    return True

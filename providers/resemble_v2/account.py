"""Resemble AI's lists of an account, and how much of the account is used."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from providers.errors import ProviderAuthError, ProviderRejected, ResponseUnreadable
from providers.http import HttpProvider
from providers.parsing import find_first_number
from providers.resemble_v2.parsing import CUSTOM_SOURCE, parse_usage
from providers.usage import Usage

PAGE_SIZE = 100
MAX_PAGES = 1000
MAX_LIST_SECONDS = 300.0  # seconds; a user may wait for the list in a browser


class ResembleAccount(HttpProvider):
    def fetch_usage(self) -> Usage:
        """Source: docs.resemble.ai, Account Teams and Billing Usage, which counts in seconds; both read 2026-11-28."""
        today = datetime.now(UTC).date()
        since = today.replace(day=1)
        period = {"start_date": since.isoformat(), "end_date": today.isoformat()}
        teams = self._fetch_account_items("/account/teams", {})
        billed = self._fetch_account_items("/account/billing_usage", period)
        voices = sum(item.get("source", CUSTOM_SOURCE) == CUSTOM_SOURCE for item in self._list_items("/voices"))
        return parse_usage(teams, billed, since, voices)

    def _fetch_account_items(self, path: str, params: Mapping[str, str]) -> Any:
        """What an account call returns. None if it is refused, as to a member of a team: the key works all the same."""
        try:
            return self.call("fetch usage", "GET", path, params=params).get("items")
        except ProviderRejected:
            return None
        except ProviderAuthError as error:
            if error.status == HTTPStatus.FORBIDDEN:
                return None
            raise

    def _list_items(self, path: str) -> Iterator[dict[str, Any]]:
        """All items of a list, up to the last page that it states, or without such a number, to one without new items.

        The documentation pages disagree on the name of the page count. A short page is not the end: a server may
        return fewer items than requested, and a voice that is overlooked would be created twice.
        """
        seen: set[str] = set()
        until = time.monotonic() + MAX_LIST_SECONDS
        for page in range(1, MAX_PAGES + 1):
            response = self.call("list", "GET", path, params={"page": page, "page_size": PAGE_SIZE})
            items = response.get("items")
            if not isinstance(items, list) or time.monotonic() > until:
                raise ResponseUnreadable("list", "no items in the response, or an endless list")
            fresh = [item for item in items if isinstance(item, dict) and item.get("uuid")]
            yield from (item for item in fresh if str(item["uuid"]) not in seen)
            last = find_first_number(response, "num_pages", "page_count")
            ids = {str(item["uuid"]) for item in fresh}
            if page >= last if last is not None else ids <= seen:
                return
            seen |= ids

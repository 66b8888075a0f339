"""Fetching a dataset from the address a customer gave: capped in bytes and time, no redirects, no proxies."""

import time
from pathlib import Path

import requests

from voices.sandbox import choices


class NotFetched(Exception):
    """The dataset could not be fetched, said in words."""


def fetch(address: str, target: Path) -> None:
    """Write what lies at `address` into the file `target`. Raises NotFetched."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.get(address, stream=True, timeout=10, allow_redirects=False) as answer:
                if answer.status_code != requests.codes.ok:
                    raise NotFetched(f"The dataset URL answered {answer.status_code}.")
                _write(answer, target)
    except requests.RequestException:
        raise NotFetched("The dataset URL could not be reached, or it broke off.") from None


def _write(answer: requests.Response, target: Path) -> None:
    deadline = time.monotonic() + choices.DATASET_TIMEOUT
    size = 0
    with target.open("wb") as file:
        for block in answer.iter_content(1 << 20):
            size += len(block)
            if size > choices.DATASET_BYTES:
                raise NotFetched("The dataset is too large.")
            if time.monotonic() > deadline:
                raise NotFetched("Fetching the dataset took too long.")
            file.write(block)

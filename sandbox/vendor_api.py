"""What a vendor's package declares of itself: its `urls.py` has one `API`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.urls import URLPattern

from sandbox.fault_actions import ErrorForm
from sandbox.training import OwnTables, Training


@dataclass(frozen=True, slots=True)
class VendorApi:
    """One vendor of the sandbox. `vendor` is the name of its package, and `root` is where its `urls` are mounted.

    `error_forms` are by the start of a path below `root`; without one, an error has the form of the control API.
    `trainings` are by the kind of thing that trains; `own_tables` are of a vendor that does not use the shelf.
    """

    vendor: str
    root: str
    urls: Sequence[URLPattern]
    error_forms: Mapping[str, ErrorForm] = field(default_factory=dict)
    trainings: Mapping[str, Training] = field(default_factory=dict)
    own_tables: OwnTables | None = None

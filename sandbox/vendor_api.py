"""The declaration of a vendor's package: one `API` in its `urls.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.urls import URLPattern

from sandbox.fault_actions import ErrorRenderer
from sandbox.training import Training, VendorTables


@dataclass(frozen=True, slots=True)
class VendorApi:
    """One vendor of the sandbox. `vendor` is the name of its package, and `root` is where its `urls` are mounted.

    `error_renderers` has a renderer for each path prefix below `root`; other paths use the control API's renderer.
    `trainings` has a training for each kind of object. A vendor without objects in the shared table has `own_tables`.
    """

    vendor: str
    root: str
    urls: Sequence[URLPattern]
    error_renderers: Mapping[str, ErrorRenderer] = field(default_factory=dict)
    trainings: Mapping[str, Training] = field(default_factory=dict)
    own_tables: VendorTables | None = None

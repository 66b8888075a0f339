"""Which vendors the sandbox has: every package beside this module."""

import pkgutil
from importlib import import_module

import sandbox
from sandbox import store, training
from sandbox.fault_actions import ErrorForm
from sandbox.vendor_api import VendorApi


class InvalidVendorPackage(Exception):
    """A vendor's package does not declare its API as docs/providers.md says."""


def load_vendors() -> list[VendorApi]:
    """The `API` of every vendor's package. Registers how their trainings end.

    Raises InvalidVendorPackage, or what the import of a package raises, so that a broken one stops the start.
    """
    vendors = [_load_api(module.name) for module in pkgutil.iter_modules(sandbox.__path__) if module.ispkg]
    for api in vendors:
        for kind, how in api.trainings.items():
            training.register(api.vendor, kind, how)
        if api.own_tables:
            training.register_own_tables(api.vendor, api.own_tables)
    return vendors


def _load_api(name: str) -> VendorApi:
    module = import_module(f"{sandbox.__name__}.{name}.urls")
    api = getattr(module, "API", None)
    if not (isinstance(api, VendorApi) and api.vendor == name):
        raise InvalidVendorPackage(f"{module.__name__} has no API, a VendorApi of the vendor {name!r}.")
    return api


VENDORS = load_vendors()
ERROR_FORMS: dict[str, ErrorForm] = {
    f"/{api.root}{start}": form for api in VENDORS for start, form in api.error_forms.items()
}
SCHEMA = store.SCHEMA + "".join(api.own_tables.schema for api in VENDORS if api.own_tables)

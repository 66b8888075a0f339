"""The vendors of the sandbox: every package beside this module."""

import pkgutil
from importlib import import_module

import sandbox
from sandbox import store, training
from sandbox.fault_actions import ErrorRenderer
from sandbox.vendor_api import VendorApi


class InvalidVendorPackage(Exception):
    """A vendor's package does not declare its API as docs/providers.md says."""


def load_vendors() -> list[VendorApi]:
    """The `API` of every vendor's package. Registers their trainings.

    Raises InvalidVendorPackage or any error of an import, so that a broken package stops the start.
    """
    vendors = [_load_api(module.name) for module in pkgutil.iter_modules(sandbox.__path__) if module.ispkg]
    for api in vendors:
        for kind, vendor_training in api.trainings.items():
            training.register_training(api.vendor, kind, vendor_training)
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
ERROR_RENDERERS: dict[str, ErrorRenderer] = {
    f"/{api.root}{prefix}": renderer for api in VENDORS for prefix, renderer in api.error_renderers.items()
}
SCHEMA = store.SCHEMA + "".join(api.own_tables.schema for api in VENDORS if api.own_tables)

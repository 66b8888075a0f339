"""Two packages add a provider: the registries find both packages, and a broken package stops the start."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from django.conf import settings

from providers import registry

CAPABILITIES = """
    from providers.resemble_v1.capabilities import TIERS
"""
PARSING = """
    from collections.abc import Mapping
    from typing import Any

    def parse_error(answer: Mapping[str, Any]) -> str:
        return str(answer.get("oops", ""))
"""
ADAPTER = """
    from providers.acme.capabilities import TIERS
    from providers.acme.parsing import parse_error
    from providers.http import HttpProvider
    from providers.types import BuildReport, RemoteStatus

    class Acme(HttpProvider):
        slug = "acme"
        label = "Acme Voices"
        tiers = TIERS
        live_url = "https://acme.example"
        sandbox_path = "/acme"

        def parse_error_text(self, answer):
            return parse_error(answer)

        def check_key(self):
            self.call("check key", "GET", "/ping")

        def _submit_build(self, spec, journal):
            raise NotImplementedError

        def fetch_build(self, remote_id):
            raise NotImplementedError

    ADAPTER = Acme
"""
SANDBOX_URLS = """
    from django.http import JsonResponse
    from django.urls import path

    from sandbox.endpoints import dispatch_by_method, operation
    from sandbox.training import Training
    from sandbox.vendor_api import VendorApi

    def render_error(refused):
        return JsonResponse({"oops": refused.message}, status=refused.status)

    @operation("acme_ping", render_error)
    def ping(request):
        return JsonResponse({"pong": True})

    API = VendorApi(
        vendor="acme",
        root="acme/",
        urls=[path("ping", dispatch_by_method(get=ping))],
        error_renderers={"": render_error},
        trainings={"voice": Training(lambda context, entry: entry)},
    )
"""
START_SCRIPT = """
    import json, sys
    from pathlib import Path
    from wsgiref.util import setup_testing_defaults

    import providers, sandbox
    providers.__path__.append(sys.argv[1] + "/providers")
    sandbox.__path__.append(sys.argv[1] + "/sandbox")

    import django
    django.setup()
    from providers import registry
    from sandbox import registry as sandbox_registry
    from sandbox.context import SandboxContext
    from sandbox.endpoints import OPERATIONS
    from sandbox.server import Application
    from sandbox.store import Store

    store = Store(Path(sys.argv[1]) / "data", sandbox_registry.SCHEMA)
    application = Application(SandboxContext(store))

    def get(path):
        environ = {"PATH_INFO": path}
        setup_testing_defaults(environ)
        return json.loads(b"".join(application(environ, lambda status, headers: None)))

    found = {
        "choices": registry.list_provider_choices(),
        "names": sorted(OPERATIONS),
        "ping": get("/acme/ping"),
        "unknown path": get("/acme/nothing"),
        "no vendor": get("/nothing"),
    }
    store.close()
    print(json.dumps(found))
"""


def write_package(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    for name, source in files.items():
        (folder / name).write_text(dedent(source), encoding="utf-8")


def run_start_script(folder: Path) -> subprocess.CompletedProcess[str]:
    """Start a process that also loads the vendors in this folder, and prints the results as JSON."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "voicehub.settings",
        "VOICEHUB_SECRET_KEY": "a" * 50,
        "VOICEHUB_FIELD_KEYS": "Zm9yIHRlc3RzIG9ubHksIDMyIGJ5dGVzIGxvbmcuLi4=",
    }
    return subprocess.run(
        [sys.executable, "-c", dedent(START_SCRIPT), str(folder)],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """The folder of a fictional vendor's packages."""
    write_package(
        tmp_path / "providers" / "acme",
        {"__init__.py": "", "capabilities.py": CAPABILITIES, "parsing.py": PARSING, "adapter.py": ADAPTER},
    )
    write_package(tmp_path / "sandbox" / "acme", {"__init__.py": "", "urls.py": SANDBOX_URLS})
    return tmp_path


def test_provider_is_added_by_an_adapter_package_and_a_sandbox_package(acme: Path) -> None:
    process = run_start_script(acme)
    assert process.returncode == 0, process.stderr
    found: dict[str, Any] = json.loads(process.stdout)
    assert ["acme", "Acme Voices"] in found["choices"]
    assert [choice for choice in found["choices"] if choice[0] != "acme"] == [
        [*choice] for choice in registry.list_provider_choices()
    ]
    labels = [label for _slug, label in found["choices"]]
    assert labels[:2] == ["Resemble AI", "Resemble AI v1"]
    assert labels[2:] == sorted(labels[2:])
    assert "acme_ping" in found["names"]
    assert found["ping"] == {"pong": True}
    assert found["unknown path"] == {"oops": "There is nothing at this address."}
    assert found["no vendor"] == {"success": False, "message": "There is nothing at this address."}


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("providers/acme/adapter.py", "ADAPTER = Acme", "", "providers.acme.adapter has no ADAPTER"),
        ("providers/acme/adapter.py", 'slug = "acme"', 'slug = "other"', "whose slug is 'acme'"),
        ("providers/acme/parsing.py", "def parse_error", "def (", "SyntaxError"),
        ("sandbox/acme/urls.py", "API = VendorApi", "OTHER = VendorApi", "sandbox.acme.urls has no API"),
        ("sandbox/acme/urls.py", 'vendor="acme"', 'vendor="other"', "of the vendor 'acme'"),
    ],
)
def test_start_fails_with_a_message_if_a_package_is_broken(
    acme: Path, file: str, old: str, new: str, message: str
) -> None:
    path = acme / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    process = run_start_script(acme)
    assert process.returncode != 0
    assert message in process.stderr

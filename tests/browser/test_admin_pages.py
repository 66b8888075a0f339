"""Every page of the Django admin is accessible, in light or dark. The pages are made by Django's test client."""

import mimetypes
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, Route

from tests.browser.tab import ALL_RULES, AXE, SIZES
from tests.upgrade.studio_report import list_admin_urls
from tests.voices.admin_rows import make_rows
from tests.voices.rows import PROVIDER, Studio
from voicehub.models import User
from voices.models import Account, Build

pytestmark = pytest.mark.django_db

ORIGIN = "http://admin.test"
SCHEMES = ("light", "dark")


@pytest.fixture
def pages(client: Client, admin: User, producer: User) -> dict[str, str]:
    """The HTML of each page, by its path: the list and a row of every model, and the other kinds of pages."""
    account = Account(name="Main", provider=PROVIDER, mode="sandbox", encrypted_key="x")
    account.save(force_insert=True)
    make_rows(Studio(producer, account), range(2))
    Build.objects.update(raw_response={"status": "failed", "items": [{"a": 1}]}, scores={"stoi": 0.9})
    client.force_login(admin)
    pages = {path: client.get(path, follow=True).content.decode() for path in list_paths(producer)}
    selection = {"action": "delete_selected", "_selected_action": [str(User.objects.get(username="user-00").pk)]}
    users = reverse("admin:voicehub_user_changelist")
    return pages | {f"{users}?delete": client.post(users, selection).content.decode()}


def list_paths(user: User) -> Iterator[str]:
    from django.contrib import admin

    yield reverse("admin:index")
    for model in admin.site._registry:
        urls = list(list_admin_urls(model._meta.label_lower)) if model._meta.app_label != "django_rq" else []
        yield from (urls[0], urls[-1]) if urls else ()
    yield from (reverse(f"admin:voices_{name}_add") for name in ("limitoverride", "account"))
    yield from (reverse("admin:voicehub_user_add"), reverse("admin:django_rq_dashboard_changelist"))
    yield from (reverse(f"admin:voicehub_user_{name}", args=[user.pk]) for name in ("delete", "history"))
    yield reverse("admin:voices_build_changelist") + "?status__exact=failed&o=3"
    yield reverse("admin:voices_build_changelist") + "?q=nothing"


def serve(pages: dict[str, str], route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN)
    if path in pages:
        route.fulfill(body=pages[path], content_type="text/html; charset=utf-8")
    elif path.startswith("/static/") and (file := finders.find(path.removeprefix("/static/"))):
        route.fulfill(path=str(file), content_type=mimetypes.guess_type(path)[0] or "text/plain")
    else:
        route.fulfill(body="", content_type="text/javascript")  # the texts of the admin's scripts


def find_violations(page: Page, path: str, scheme: Any) -> Iterator[str]:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(f"{ORIGIN}{path}")
    page.evaluate(AXE_SCRIPT)
    for violation in page.evaluate(AXE, ALL_RULES):
        for node in violation["nodes"][:3]:
            yield f"{path}, {scheme}: {violation['id']}: {node['target']} {node['failureSummary']}"


@pytest.fixture
def page(pages: dict[str, str], chrome: Browser) -> Iterator[Page]:
    context = chrome.new_context(**SIZES["desktop"], reduced_motion="reduce")
    context.route("**/*", lambda route: serve(pages, route))
    yield context.new_page()
    context.close()


def test_pages_are_accessible_and_builds_fit_a_phone(pages: dict[str, str], page: Page) -> None:
    """Every third page, with one color scheme each, in turn: models share the templates of lists, rows and forms.

    tests/long checks every page in both color schemes.
    """
    paths = list(pages)[::3]
    violations = [
        text for number, path in enumerate(paths) for text in find_violations(page, path, SCHEMES[number % 2])
    ]
    assert violations == []
    page.set_viewport_size(SIZES["phone"]["viewport"])
    for path in pages:
        if path.startswith("/administration/voices/build/"):
            page.goto(f"{ORIGIN}{path}")
            assert page.evaluate("document.scrollingElement.scrollWidth") <= SIZES["phone"]["viewport"]["width"], path
            if "/change/" not in path and (title := page.locator("#result_list tbody th").first).count():
                assert title.evaluate("title => title.clientWidth") > 150, path


def test_user_stays_in_sight_below_the_groups_of_the_rail(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 600})
    page.goto(f"{ORIGIN}{reverse('admin:consent_consent_changelist')}")
    page.evaluate("for (const group of document.querySelectorAll('.vh-nav-group')) group.open = true")
    own = page.locator(".vh-rail .vh-own").bounding_box()
    assert own and own["y"] + own["height"] <= 600
    assert page.locator(".vh-rail .vh-groups").evaluate("list => list.scrollHeight > list.clientHeight")


def test_rows_of_recordings_hold_together_in_a_narrow_window(pages: dict[str, str], page: Page) -> None:
    path = next(path for path in pages if path.startswith("/administration/voices/build/") and "/change/" in path)
    for width in (768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{ORIGIN}{path}")
        row = page.locator(".inline-group tr:has(.field-result)").first
        name, result = (row.locator(place).bounding_box() for place in ("td:first-child", ".field-result"))
        assert name and result and result["x"] > name["x"] and abs(result["y"] - name["y"]) < 4

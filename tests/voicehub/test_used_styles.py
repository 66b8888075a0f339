"""The component library is served without the rules that no page can use, in one file with our own styles."""

import re
from pathlib import Path
from typing import Any

import pytest
import tinycss2
from django.conf import settings as django_settings
from django.core.management import call_command
from django.template import Context, Template

from voicehub.storage import BASE_STYLES, COMPONENT_LIBRARY, JOINED_STYLES
from voicehub.used_styles import collect_words, keep_used_rules

STATIC = django_settings.BASE_DIR / "static"
LIBRARY = (STATIC / COMPONENT_LIBRARY).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "css, kept",
    [
        (".btn{a:b}.unused{a:b}", ".btn{a:b}"),
        (".unused,.btn:hover{a:b}", ".btn:hover{a:b}"),
        (".btn .unused{a:b}", ""),
        (".unused .btn{a:b}", ""),
        (".btn:not(.unused,.other){a:b}", ".btn:not(.unused,.other){a:b}"),
        ("a,:root{a:b}", "a,:root{a:b}"),
        ("@media print{.unused{a:b}}", ""),
        ("@media print{.unused{a:b}.btn{a:b}}", "@media print{.btn{a:b}}"),
        ("@keyframes unused{from{a:b}to{a:c}}", "@keyframes unused{from{a:b}to{a:c}}"),
        ('@charset "UTF-8";/*! MIT */.unused{a:b}', '@charset "UTF-8";/*! MIT */'),
        ('.btn{a:url("data:},{;")}.unused{a:b}', '.btn{a:url("data:},{;")}'),
        (r".w-1\/2,.w-2\.5{a:b}", r".w-1\/2{a:b}"),
        (".alert-danger,.alerts{a:b}", ".alert-danger{a:b}"),
    ],
)
def test_rule_stays_if_an_element_with_known_classes_can_match(css: str, kept: str) -> None:
    assert keep_used_rules(css, {"btn", "w-1/2", "alert-"}) == kept


def split_rules(css: str) -> list[str]:
    return [rule.serialize() for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)]


def test_library_keeps_all_that_the_pages_use() -> None:
    """With every class known, all of the library stays. With those of our pages, most of it goes."""
    names = {name.replace("\\", "") for name in re.findall(r"\.((?:[\w-]|\\.)+)", LIBRARY)}
    assert split_rules(keep_used_rules(LIBRARY, names)) == split_rules(LIBRARY)
    small = keep_used_rules(LIBRARY, collect_words(django_settings.BASE_DIR))
    assert len(small) < len(LIBRARY) / 4 and "MIT" in small[:400]
    for name in ("btn-primary", "form-control", "form-check-input", "card-header", "alert-danger", "visually-hidden"):
        assert f".{name}{{" in small or f".{name}," in small, name
    assert ".navbar-nav" not in small and ".dropdown-item" not in small


def test_collected_pages_load_one_file_with_all_base_styles(tmp_path: Path, settings: Any) -> None:
    settings.STATIC_ROOT = tmp_path
    page = Template("{% load studio %}{% base_styles %}")
    assert re.findall('href="/static/([^"]+)"', page.render(Context())) == list(BASE_STYLES)
    hashed = {"staticfiles": {"BACKEND": "voicehub.storage.HashedStorage"}}
    settings.STORAGES = settings.STORAGES | hashed
    call_command("collectstatic", interactive=False, verbosity=0)
    (name,) = re.findall('href="/static/([^"]+)"', page.render(Context()))
    assert re.fullmatch(r"css/base\.[0-9a-f]{12}\.css", name)
    joined = (tmp_path / name).read_text(encoding="utf-8")
    for style in BASE_STYLES[1:]:
        selectors = re.findall(r"^(\.[\w.-]+) \{$", (STATIC / style).read_text(encoding="utf-8"), re.MULTILINE)
        assert all(f"{selector} {{" in joined for selector in selectors), style
    assert joined.startswith("@charset") and (tmp_path / f"{JOINED_STYLES}.gz").stat().st_size
    for font in re.findall(r'url\("(\.\./vendor/[^"]+)"\)', joined):
        assert (tmp_path / "css" / font).resolve().is_file()

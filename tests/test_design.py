"""The design tokens and components: their documentation, the page that shows them, and every contrast."""

import re
from itertools import product
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from voicehub.models import User

ROOT = Path(settings.BASE_DIR)
CSS = ROOT / "static" / "css"
TOKENS = (CSS / "tokens.css").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")

LIGHT, DARK = ":root {", '[data-theme="dark"] {'
SYSTEM_DARK = ':root:not([data-bs-theme="light"], [data-theme="light"]) {'

# What is drawn on what, and the lowest contrast of WCAG 2.2: 4.5 for text, 3 for controls and signs.
SURFACES = ("page", "side", "panel", "raised", "hover")
ROLES = ("accent", "good", "wait", "bad", "idle")
TEXT_PAIRS = [
    *product(("ink", "ink-2", "ink-3", "accent"), SURFACES),
    *product(("good", "wait", "bad", "idle"), ("page", "panel", "raised")),
    *((role, f"{role}-tint") for role in ROLES),
    *product(("ink", "ink-2"), (f"{role}-tint" for role in ROLES)),
    *product(("button-ink",), ("button", "button-hover", "danger", "danger-hover")),
    ("bar-ink", "bar"),
    ("bar-link", "bar"),
]
CONTROL_PAIRS = [("line-control", surface) for surface in ("page", "panel", "raised")]
CONTROL_PAIRS += [(f"voice-{number}", surface) for number in range(1, 9) for surface in ("page", "panel", "raised")]


def read_block(selector: str) -> dict[str, str]:
    """The custom properties of the first rule with this selector, keyed by name without the dashes."""
    block = TOKENS.partition(selector)[2].partition("}")[0]
    return dict(re.findall(r"--([\w-]+): ([^;]+);", block))


def read_colors(theme: str) -> dict[str, str]:
    tokens = read_block(LIGHT) | (read_block(DARK) if theme == "dark" else {})
    return {name: value for name, value in tokens.items() if value.startswith("#")}


def compute_luminance(color: str) -> float:
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def compute_contrast(first: str, second: str) -> float:
    darker, lighter = sorted((compute_luminance(first), compute_luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def read_first_column(heading: str) -> list[str]:
    section = GUIDE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)


def read_style_sheets() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in CSS.glob("*.css"))


def test_contrast_of_black_on_white_is_21() -> None:
    assert round(compute_contrast("#ffffff", "#000000"), 1) == 21


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_controls_have_enough_contrast(theme: str) -> None:
    colors = read_colors(theme)
    limits = [(pair, 4.5) for pair in TEXT_PAIRS] + [(pair, 3.0) for pair in CONTROL_PAIRS]
    contrasts = {pair: (compute_contrast(colors[pair[0]], colors[pair[1]]), limit) for pair, limit in limits}
    assert {pair: round(value, 2) for pair, (value, limit) in contrasts.items() if value < limit} == {}


def test_dark_colors_of_system_and_of_theme_are_equal() -> None:
    assert read_block(DARK) == read_block(SYSTEM_DARK)


def test_dark_theme_defines_every_color() -> None:
    assert set(read_colors("light")) <= set(read_block(DARK))


def test_guide_lists_exactly_the_tokens() -> None:
    assert read_first_column("Tokens") == [f"--{name}" for name in read_block(LIGHT)]


def test_style_sheets_use_only_defined_properties() -> None:
    styles = read_style_sheets()
    used = set(re.findall(r"var\((--(?!tblr)[\w-]+)", styles))
    assert used - set(re.findall(r"^\s*(--[\w-]+):", styles, re.MULTILINE)) == set()


def test_every_color_has_a_token() -> None:
    for path in CSS.glob("*.css"):
        if path.name != "tokens.css":
            assert re.findall(r"#[0-9a-f]{3,8}\b", path.read_text(encoding="utf-8")) == [], path.name


def test_progress_bar_has_the_same_colors_in_every_engine() -> None:
    styles = re.sub(r"/\*.*?\*/", "", read_style_sheets(), flags=re.DOTALL)
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", styles)
    fills: dict[str, dict[str, str]] = {"::-webkit-progress-value": {}, "::-moz-progress-bar": {}}
    for selector, body in rules:
        for engine, colors in fills.items():
            background = re.search(r"background: ([^;]+);", body)
            if selector.strip().endswith(engine) and ":indeterminate" not in selector and background:
                colors[selector.strip().removesuffix(engine)] = background[1]
    assert fills["::-webkit-progress-value"] == fills["::-moz-progress-bar"]
    assert ".bar:indeterminate::-moz-progress-bar" in styles, "Firefox would draw a full bar over the moving one"


def test_thickness_of_a_line_has_a_rule_of_its_own() -> None:
    """WebKit drops a `text-decoration` that names a thickness, and with it the line."""
    assert re.findall(r"text-decoration: [^;]*\d", read_style_sheets()) == []


def test_every_class_of_components_is_in_the_guide() -> None:
    styles = (CSS / "components.css").read_text(encoding="utf-8")
    assert set(re.findall(r"\.(vh-[\w-]+)", styles)) <= set(read_first_column("Components"))


def read_page(client: Client) -> str:
    return str(client.get(reverse("components")).content, "utf-8")


@pytest.mark.django_db
def test_every_documented_component_is_on_the_page_and_in_the_styles(client: Client, admin: User) -> None:
    client.force_login(admin)
    shown = {name for names in re.findall(r'class="([^"]*)"', read_page(client)) for name in names.split()}
    styled = set(re.findall(r"\.([\w-]+)", read_style_sheets()))
    documented = set(read_first_column("Components"))
    assert documented - shown == set()
    assert documented - styled == set()


@pytest.mark.django_db
def test_page_shows_every_variant_of_every_component(client: Client, admin: User) -> None:
    client.force_login(admin)
    elements = [set(names.split()) for names in re.findall(r'class="([^"]*)"', read_page(client))]
    styles = (CSS / "components.css").read_text(encoding="utf-8") + (CSS / "states.css").read_text(encoding="utf-8")
    variants = {frozenset(pair) for pair in re.findall(r"\.(vh-[a-z]+)\.(is-[a-z]+)", styles)}
    variants |= {frozenset(("state", name)) for name in re.findall(r"\.(state-[a-z]+)", styles)}
    assert len(variants) > 15
    assert [sorted(variant) for variant in variants if not any(variant <= element for element in elements)] == []


@pytest.mark.django_db
def test_every_staff_page_has_a_description_and_the_font(client: Client, admin: User) -> None:
    client.force_login(admin)
    page = read_page(client)
    assert re.search(r'<meta name="description" content="[^"]{50,160}">', page)
    assert re.search(r'<link rel="preload" href="[^"]*inter-latin[^"]*" as="font"', page)


def test_guide_lists_every_key_of_the_table_of_recordings() -> None:
    dialog = (ROOT / "templates" / "voices" / "_recordings_pages.html").read_text(encoding="utf-8")
    keys = set(re.findall(r"<kbd>([^<]+)</kbd>", dialog)) - {"Esc"}
    rows = [row for row in GUIDE.split("\n## Keys\n")[1].splitlines() if "| table of recordings |" in row]
    listed = set(re.split(r"[ ,+]|`| or ", " ".join(row.split("|")[1] for row in rows)))
    assert keys >= {"J", "Enter"} and keys <= listed, keys - listed

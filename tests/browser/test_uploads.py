"""Uploads of many files: cuts of the network, restarts of the web server and closed tabs lose nothing."""

import hashlib
import http.client
import os
import random
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import staff_steps
from tests.browser.studio import Studio
from tests.browser.tab import Tab
from tests.support.processes import find_processes, get_parent_pid, wait_for

OpenTab = Callable[..., Tab]

FILES = """
SELECT file.* FROM voices_importfile file JOIN voices_import import ON import.id = file.import_set_id
JOIN voices_voice voice ON voice.id = import.voice_id WHERE voice.name = ?
"""
LARGE = 20_000_000  # three parts


@pytest.fixture
def tab(open_tab: OpenTab) -> Tab:
    return open_tab("desktop", "paula")


def make_files(folder: Path, count: int, size: int = 4000) -> dict[str, bytes]:
    """Random files in folders, by their path."""
    chance = random.Random(count)  # noqa: S311 - reproducible
    files = {f"takes/day {n % 3}/line-{n:03}.wav": chance.randbytes(size + n) for n in range(count)}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return files


def open_voice(tab: Tab, name: str) -> Page:
    staff_steps.add_voice(tab, staff_steps.add_talent(tab, f"{name.partition(chr(44))[0]} Uploads"), name)
    tab.page.wait_for_load_state()
    return tab.page


def choose_folder(page: Page, folder: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(folder)


def wait_until_uploaded(page: Page, count: int) -> None:
    """Wait until so many files, or more, have arrived."""
    page.wait_for_function(
        "(count) => Number((document.querySelector('[data-summary]').textContent.match(/^[0-9,]+/)?.[0] ?? '0')"
        ".replace(',', '')) >= count",
        arg=count,
    )


def read_stored(studio: Studio, voice: str) -> dict[str, Any]:
    """The hash of each complete file of the voice's imports, by its path; the stored hash must be right."""
    rows = studio.fetch_rows(FILES, voice)
    hashes = {}
    for row in rows:
        if row["status"] == "uploading":
            continue
        content = (studio.folder / "media" / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"] and len(content) == row["size"]
        hashes[row["name"]] = row["sha256"]
    assert len({row["name"] for row in rows}) == len(rows), "no file is there twice"
    return hashes


def wait_for_files(studio: Studio, voice: str, files: dict[str, bytes]) -> None:
    wanted = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    wait_for(lambda: read_stored(studio, voice) == wanted, "all files to be stored")


def kill_web_server(studio: Studio) -> None:
    """Kill it as a power failure does. The supervisor starts it again."""
    found = find_processes("VOICEHUB_DATA_DIR", str(studio.folder))
    servers = [pid for pid, line in found.items() if "gunicorn" in line]
    (first,) = [pid for pid in servers if get_parent_pid(pid) not in servers]
    for pid in [first, *(pid for pid in servers if pid != first)]:
        os.kill(pid, signal.SIGKILL)


@contextmanager
def lose_connections(tab: Tab) -> Iterator[None]:
    """Inside this block, requests may fail because the server is gone."""
    yield
    tab.problems[:] = [problem for problem in tab.problems if "net::ERR_" not in problem]


def test_500_files_survive_two_cuts_and_a_restart(tab: Tab, studio: Studio, tmp_path: Path) -> None:
    files = make_files(tmp_path, 500)
    large = random.Random(7).randbytes(LARGE)  # noqa: S311 - reproducible
    (tmp_path / "takes" / "long.wav").write_bytes(large)
    page = open_voice(tab, "Uma, 500 lines")
    with lose_connections(tab):
        choose_folder(page, tmp_path / "takes")
        for count in (50, 200):
            wait_until_uploaded(page, count)
            with tab.go_offline():
                expect(page.locator("[data-summary]")).to_contain_text(
                    "No connection to the server. The upload goes on"
                )
        wait_until_uploaded(page, 300)
        kill_web_server(studio)
        page.wait_for_url(re.compile("/imports/"), timeout=180_000)
    wait_for_files(studio, "Uma, 500 lines", files | {"takes/long.wav": large})
    parts = studio.fetch_rows("SELECT * FROM voices_importpart")
    assert [dict(part) for part in parts if part["size"] is not None] == []


def test_closed_tab_is_continued_with_the_same_files(tab: Tab, studio: Studio, tmp_path: Path) -> None:
    files = make_files(tmp_path, 60, 300_000)
    page = open_voice(tab, "Vida, closed tab")
    path = staff_steps.read_path(page)
    choose_folder(page, tmp_path / "takes")
    wait_until_uploaded(page, 10)
    page = tab.reopen()
    tab.goto(path)
    note = page.locator(".vh-note")
    expect(note).to_contain_text(re.compile(r"^\s*\d+ of 60 files uploaded\."))
    tab.check_page("voice with an unfinished upload")
    arrived = read_stored(studio, "Vida, closed tab")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if "/uploads/" in request.url else None)
    choose_folder(page, tmp_path / "takes")
    page.wait_for_url(re.compile("/imports/"))
    wait_for_files(studio, "Vida, closed tab", files)
    assert len({row["import_set_id"] for row in studio.fetch_rows(FILES, "Vida, closed tab")}) == 1
    assert sent.count("POST") <= 60 - len(arrived), "what has arrived is not sent again"
    tab.goto(path)
    expect(note).to_have_count(0)


def test_dropped_folder_keeps_its_paths(tab: Tab, studio: Studio, tmp_path: Path) -> None:
    files = make_files(tmp_path, 130)  # more than a browser lists at once
    (tmp_path / "takes" / ".DS_Store").write_bytes(b"of the system")
    (tmp_path / "single.wav").write_bytes(b"one more file")
    page = open_voice(tab, "Wes, dropped folder")
    session = tab.context.new_cdp_session(page)
    box = page.locator("[data-drop]").bounding_box()
    assert box
    data = {"items": [], "files": [str(tmp_path / "takes"), str(tmp_path / "single.wav")], "dragOperationsMask": 1}
    place = {"x": box["x"] + 20, "y": box["y"] + 20, "data": data}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **place})
    page.wait_for_url(re.compile("/imports/"))
    wait_for_files(studio, "Wes, dropped folder", files | {"single.wav": b"one more file"})


def test_file_with_a_problem_is_named_and_the_others_arrive(open_tab: OpenTab, studio: Studio, tmp_path: Path) -> None:
    tab = open_tab("phone", "paula")
    page = open_voice(tab, "Xara, too large")
    voice = staff_steps.read_path(page)
    paths = [tmp_path / "one.wav", tmp_path / "large.csv"]
    paths[0].write_bytes(b"no recording")
    with paths[1].open("wb") as large:
        large.truncate((30 << 20) + 1)
    with tab.allow_status(413):
        page.get_by_label("choose them").set_input_files(paths)
        expect(page.locator("[data-summary]")).to_have_text("1 file uploaded · 1 not uploaded")
    problems = page.get_by_role("list", name="Files that were not uploaded").get_by_role("listitem")
    expect(problems).to_have_text("large.csv: The file is larger than 30 MB. Split it before you upload it.")
    expect(page.get_by_role("link", name="Open the preview")).to_be_visible()
    tab.check_page("voice, a file not uploaded")
    page.goto(f"{studio.address}{voice}")
    expect(page.locator(".vh-note")).to_contain_text("1 of 2 files uploaded.")
    (tmp_path / "other.wav").write_bytes(b"chosen instead")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose the files").click()
    chooser.value.set_files(tmp_path / "other.wav")
    page.wait_for_url(re.compile("/imports/"))
    wait_for_files(studio, "Xara, too large", {"one.wav": b"no recording", "other.wav": b"chosen instead"})
    assert len({row["import_set_id"] for row in studio.fetch_rows(FILES, "Xara, too large")}) == 1


def test_every_refused_file_is_named_in_a_fold_that_stays_open(tab: Tab, tmp_path: Path) -> None:
    files = make_files(tmp_path, 60)
    page = open_voice(tab, "Xeno, 60 refused")
    refused, held = list[Route](), list[Route]()

    def refuse(route: Route) -> None:
        refused.append(route)
        if len(refused) > 50 and not page.locator(".upload-findings details[open]").count():
            held.append(route)
        else:
            route.fulfill(status=400, json={"problem": "The disk is full."})

    page.route("**/imports/*/uploads/", refuse)
    fold, paths = page.locator(".upload-findings summary"), page.locator(".upload-findings li li")
    with tab.allow_status(400):
        choose_folder(page, tmp_path / "takes")
        expect(fold).to_have_text("50 files, such as takes/day 0/line-000.wav: The disk is full.")
        expect(paths).to_have_count(0)
        fold.click()
        expect(paths).to_have_count(50)
        first = paths.first.element_handle()
        for route in held:
            route.fulfill(status=400, json={"problem": "The disk is full."})
        expect(fold).to_contain_text("60 files, such as")
    assert sorted(paths.all_text_contents()) == sorted(files)
    assert first.evaluate("line => line.isConnected"), "the lines that were there stay"
    page.unroute("**/imports/*/uploads/")
    page.get_by_role("button", name="Try these again").click()
    page.wait_for_url(re.compile("/imports/"))


def test_file_that_is_deleted_meanwhile_is_named(tab: Tab, studio: Studio, tmp_path: Path) -> None:
    page = open_voice(tab, "Yara, deleted file")
    paths = [tmp_path / name for name in ("here.wav", "gone.wav")]
    for path in paths:
        path.write_bytes(b"no recording")
    with lose_connections(tab):
        with tab.go_offline():
            page.get_by_label("choose them").set_input_files(paths)
            expect(page.locator("[data-summary]")).to_contain_text("No connection to the server.")
            paths[1].unlink()
        expect(page.locator("[data-summary]")).to_have_text("1 file uploaded · 1 not uploaded")
    problems = page.get_by_role("list", name="Files that were not uploaded").get_by_role("listitem")
    expect(problems).to_have_text("gone.wav: This browser can no longer read the file. Choose it again.")
    wait_for_files(studio, "Yara, deleted file", {"here.wav": b"no recording"})


def test_signed_out_upload_continues_after_sign_in(tab: Tab, studio: Studio, tmp_path: Path) -> None:
    files = make_files(tmp_path, 60, 300_000)
    page = open_voice(tab, "Zoe, signed out")
    choose_folder(page, tmp_path / "takes")
    wait_until_uploaded(page, 5)
    with tab.allow_status(401):
        tab.context.clear_cookies()
        expect(page.locator("[data-summary]")).to_contain_text("You are signed out. Sign in again in another tab")
        staff_steps.sign_in(studio, tab.context, "paula")
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url(re.compile("/imports/"))
    wait_for_files(studio, "Zoe, signed out", files)


def test_thousands_of_files_make_no_rows(tab: Tab) -> None:
    page = open_voice(tab, "Abel, 5000 files")
    count = page.evaluate("document.querySelectorAll('*').length")
    with tab.go_offline():
        staff_steps.drop_files(page, {f"{number}.wav": b"1" for number in range(5000)})
        expect(page.locator("[data-summary]")).to_contain_text("0 of 5,000 files uploaded")
        assert page.evaluate("document.querySelectorAll('*').length") < count + 20
    page.close(run_before_unload=False)


IMPORT_SCRIPT = """
from voicehub.models import User
from voices.models import Import, ImportFile, Voice
import_set = Import.objects.create(voice=Voice.objects.get(pk="{voice}"), by=User.objects.get(username="paula"))
ImportFile.objects.create(import_set=import_set, name="{name}", size=1_000_000)
"""


def test_cut_request_keeps_what_has_arrived(tab: Tab, studio: Studio) -> None:
    """A client that disappears in the middle of a part, seen by the real web server."""
    page, name = open_voice(tab, "Cleo, cut request"), "cut.wav"
    studio.run_script(IMPORT_SCRIPT.format(voice=staff_steps.read_id(page), name=name))
    (row,) = studio.fetch_rows(FILES, "Cleo, cut request")
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in tab.context.cookies())
    token = page.locator("[data-upload-queue] [name=csrfmiddlewaretoken]").input_value()
    headers = {
        "Cookie": cookies, "X-CSRFToken": token, "Tus-Resumable": "1.0.0", "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream", "Content-Length": "1000000",
    }  # fmt: skip
    connection = http.client.HTTPConnection(studio.address.removeprefix("http://"))
    connection.putrequest("PATCH", f"/uploads/{UUID(row['id'])}/")
    for key, value in headers.items():
        connection.putheader(key, value)
    connection.endheaders(b"a" * 300_000)
    connection.close()
    wait_for(lambda: studio.fetch_rows(FILES, "Cleo, cut request")[0]["received"] == 300_000, "the part to be counted")


OPEN_IMPORTS_SCRIPT = """
from voicehub.models import User
from voices.models import Import, ImportFile, Voice
for number in range(10):
    row = Import.objects.create(voice=Voice.objects.get(pk="{voice}"), by=User.objects.get(username="ed"))
    ImportFile.objects.create(import_set=row, name=f"{{number}}.csv", size=9)
"""
DISCARD_SCRIPT = """
from voices.models import Import
Import.objects.filter(voice="{voice}").exclude(status="discarded")[0:1].get().delete()
"""


def test_too_many_open_imports_are_explained_once_and_the_files_wait(tab: Tab, studio: Studio, tmp_path: Path) -> None:
    files = make_files(tmp_path, 5)
    page = open_voice(tab, "Dora, ten imports")
    voice = staff_steps.read_id(page)
    studio.run_script(OPEN_IMPORTS_SCRIPT.format(voice=voice))
    with tab.allow_status(409):
        choose_folder(page, tmp_path / "takes")
        expect(page.locator("[data-summary]")).to_have_text("0 files uploaded · 5 not uploaded")
    problems = page.get_by_role("list", name="Files that were not uploaded").get_by_role("listitem")
    expect(problems.locator("summary")).to_have_text(
        "5 files, such as takes/day 0/line-000.wav: Dora, ten imports has 10 imports that are not added yet. Add or "
        "discard one of them on the page of the voice, then upload these files."
    )
    problems.locator("summary").click()
    expect(page.locator(".upload-findings li li")).to_have_text(sorted(files))
    tab.check_page("voice, too many open imports")
    studio.run_script(DISCARD_SCRIPT.format(voice=voice))
    page.get_by_role("button", name="Try these again").click()
    page.wait_for_url(re.compile("/imports/"))
    rows = [row for row in studio.fetch_rows(FILES, "Dora, ten imports") if row["name"] in files]
    assert {row["name"] for row in rows} == set(files)

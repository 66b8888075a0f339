"""The recorder's rules that need no browser: what it notices while recording, and what it says about a browser."""

from typing import Any

import pytest

from tests.support.scripts import run_script

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = "Mozilla/5.0 (Linux; Android 16; K) AppleWebKit/537.36 (KHTML, like Gecko)"
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
AGENTS = {
    "safari ios": f"{PHONE} Version/18.5 Mobile/15E148 Safari/604.1",
    "chrome ios": f"{PHONE} CriOS/141.0.0.0 Mobile/15E148 Safari/604.1",
    "firefox ios": f"{PHONE} FxiOS/144.0 Mobile/15E148 Safari/605.1.15",
    "app ios": f"{PHONE} Mobile/15E148 Instagram 400.0.0",
    "chrome android": f"{ANDROID} Chrome/141.0.0.0 Mobile Safari/537.36",
    "samsung android": f"{ANDROID} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
    "firefox android": "Mozilla/5.0 (Android 16; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0",
    "app android": f"{ANDROID.replace('K)', 'K; wv)')} Version/4.0 Chrome/141.0.0.0 Mobile Safari/537.36",
    "chrome desktop": f"{DESKTOP} Chrome/141.0.0.0 Safari/537.36",
    "edge desktop": f"{DESKTOP} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
    "firefox desktop": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "safari desktop": f"{MAC} Version/18.5 Safari/605.1.15",
    "other desktop": "Lynx/2.9",
}


def test_each_browser_is_recognized_and_has_its_steps() -> None:
    code = """(agents) => Object.entries(agents).map(([name, userAgent]) => {
        const browser = m.findBrowser({ userAgent });
        return [name, `${browser.name} ${browser.system}`, m.listBlockedSteps(browser), m.listQuestionSteps(browser)];
    })"""
    found = run_script("js/recorder/browser-steps.js", code, AGENTS)
    assert [name for name, recognized, _, _ in found if name != recognized] == []
    steps = {name: blocked for name, _, blocked, _ in found}
    assert all(len(each) >= 2 and len(question) >= 2 for _, _, each, question in found)
    assert "Website Settings" in steps["safari ios"][0]
    assert "settings of the phone, and there the app Chrome" in steps["chrome ios"][0]
    assert "crossed-out microphone" in steps["firefox desktop"][0]
    assert "in your browser" in steps["app android"][1]
    assert len({tuple(each) for each in steps.values()}) == 10, "three pairs share their steps"


def test_ipad_that_calls_itself_a_mac_is_recognized() -> None:
    code = "(userAgent) => [0, 1, 5].map((maxTouchPoints) => m.findBrowser({ userAgent, maxTouchPoints }).system)"
    assert run_script("js/recorder/browser-steps.js", code, AGENTS["safari desktop"]) == ["desktop", "desktop", "ios"]


@pytest.mark.parametrize(
    ("name", "message", "permission", "text", "has_steps"),
    [
        ("NotAllowedError", "Permission denied", "denied", "The microphone is blocked for this page.", True),
        ("NotAllowedError", "Permission denied", "", "The microphone is blocked for this page.", True),
        ("NotAllowedError", "Permission dismissed", "prompt", "was closed without an answer", True),
        ("NotAllowedError", "Permission denied by system", "denied", "This device does not let the browser", False),
        ("NotFoundError", "Requested device not found", "", "No microphone was found.", False),
        ("NotReadableError", "Could not start audio source", "", "Another program is using the microphone.", False),
        ("OverconstrainedError", "", "", "That microphone is not there any more.", False),
        ("TypeError", "undefined is not an object", "", "The microphone could not be opened.", False),
    ],
)
def test_error_of_the_browser_is_never_shown_as_it_is(
    name: str, message: str, permission: str, text: str, has_steps: bool
) -> None:
    code = """([name, message, permission]) => {
        const error = Object.assign(new Error(message), { name });
        const browser = { name: "firefox", label: "Firefox", system: "desktop" };
        const explained = m.explainError(error, browser, permission);
        return { text: explained.message, steps: explained.steps };
    }"""
    shown = run_script("js/recorder/microphone-errors.js", code, [name, message, permission])
    assert text in shown["text"]
    assert bool(shown["steps"]) == has_steps
    assert not message or message not in str(shown)


@pytest.mark.parametrize(
    ("permission", "text"),
    [("granted", "The microphone did not answer."), ("prompt", "was not answered."), ("", "was not answered.")],
)
def test_time_limit_is_blamed_on_the_person_only_without_a_permission(permission: str, text: str) -> None:
    code = """(permission) => {
        const browser = { name: "safari", label: "Safari", system: "ios" };
        return m.explainError(new m.NoAnswerError(), browser, permission).message;
    }"""
    assert text in run_script("js/recorder/microphone-errors.js", code, permission)


ALL_OFF = {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False}


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ({"label": "Built-in", "sampleRate": 48000, **ALL_OFF}, []),
        ({"label": "Microphone", "echoCancellation": False}, []),
        ({"label": "AirPods", **ALL_OFF}, ["headset in call mode"]),
        ({"label": "Headset (WH-1000XM4 Hands-Free AG Audio)", **ALL_OFF}, ["headset in call mode"]),
        ({"label": "USB", "sampleRate": 16000, **ALL_OFF}, ["sends only 16 kHz, like a telephone"]),
        (
            {"label": "Built-in", **ALL_OFF, "echoCancellation": True},
            ["changes the voice with: echo cancellation"],
        ),
        (
            {"label": "Built-in", **ALL_OFF, "echoCancellation": "all"},
            ["changes the voice with: echo cancellation"],
        ),
        (
            {"label": "Buds", "noiseSuppression": True, "autoGainControl": True},
            ["headset in call mode", "Safari changes the voice with: noise suppression, automatic gain control"],
        ),
    ],
)
def test_headset_and_processing_are_named_before_recording(device: dict[str, Any], words: list[str]) -> None:
    code = """(device) => m.listAdvice(device, { name: "safari", label: "Safari", system: "desktop" })"""
    advice = run_script("js/recorder/microphone-advice.js", code, device)
    assert len(advice) == len(words)
    for text, word in zip(advice, words, strict=True):
        assert word in text


WATCH = """(script) => {
    const BLOCK = 480, RATE = 48000;
    let now = 0;
    const watch = new m.CaptureWatch(RATE, now);
    const seen = [];
    for (const { seconds, sound = "voice", late = 0, isMuted = false, hasTimer = true } of script) {
        for (let block = 0; block < seconds * 100; block += 1) {
            now += 10;
            if (sound === "voice") watch.addBlock(new Float32Array(BLOCK).fill(0.1), now + late * 1000);
            if (sound === "zeros") watch.addBlock(new Float32Array(BLOCK), now);
            if (!hasTimer || block % 20) continue;
            const problem = watch.findProblem(now, isMuted);
            const code = problem && problem.code + (problem.isEnd ? " end" : "");
            if (code !== seen.at(-1)) seen.push(code);
        }
    }
    return [seen, watch.lostSeconds];
}"""


@pytest.mark.parametrize(
    ("script", "codes"),
    [
        ([{"seconds": 20}], [None]),
        ([{"seconds": 3}, {"seconds": 8, "sound": "none"}], [None, "stalled", "stalled end"]),
        ([{"seconds": 3}, {"seconds": 2, "sound": "none"}, {"seconds": 1}], [None, "stalled", None, "behind"]),
        ([{"seconds": 3}, {"seconds": 8, "sound": "zeros"}], [None, "silent", "silent end"]),
        ([{"seconds": 3}, {"seconds": 2, "sound": "zeros"}, {"seconds": 1}], [None, "silent", None]),
        ([{"seconds": 3}, {"seconds": 1, "isMuted": True}, {"seconds": 1}], [None, "muted", None]),
        ([{"seconds": 3}, {"seconds": 0.6, "sound": "none"}, {"seconds": 3}], [None, "behind"]),
        ([{"seconds": 3}, {"seconds": 0.2, "sound": "none"}, {"seconds": 3}], [None]),
        # Blocks that the page gets late are not lost.
        ([{"seconds": 3}, {"seconds": 0.9, "late": 0.9}, {"seconds": 3}], [None, "behind", None]),
        # A page that was frozen gets its timer first, and then all blocks that waited.
        (
            [{"seconds": 3}, {"seconds": 60, "sound": "none", "hasTimer": False}, {"seconds": 0.01, "sound": "none"}],
            [None],
        ),
    ],
)
def test_recording_notices_sound_that_stops_or_gets_lost(script: list[dict[str, Any]], codes: list[str | None]) -> None:
    seen, _lost = run_script("js/recorder/capture-watch.js", WATCH, script)
    assert seen == codes


def test_lost_seconds_are_measured() -> None:
    script = [{"seconds": 3}, {"seconds": 0.8, "sound": "none"}, {"seconds": 5}]
    _seen, lost = run_script("js/recorder/capture-watch.js", WATCH, script)
    assert lost == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(
    ("parts", "seconds"),
    [
        ([["voice", 1], ["zeros", 0.2], ["voice", 1]], 0.2),
        ([["voice", 1], ["zeros", 0.004], ["voice", 1]], 0),
        ([["voice", 1], ["fade", 0.1], ["zeros", 0.2], ["quiet", 0.1], ["voice", 1]], 0),
        ([["zeros", 1], ["voice", 1], ["zeros", 1]], 0),
        ([["voice", 1], ["zeros", 0.1], ["voice", 1], ["zeros", 0.1], ["voice", 1]], 0.2),
        ([["zeros", 1]], 0),
        ([], 0),
    ],
)
def test_zeros_that_cut_into_the_sound_are_a_gap(parts: list[list[Any]], seconds: float) -> None:
    code = """(parts) => {
        const fade = (share) => 1 + 3000 * (1 - share) ** 3;
        const makers = { voice: () => 3000, zeros: () => 0, quiet: () => 20, fade };
        const pcm = parts.flatMap(([kind, seconds]) => {
            const count = Math.round(seconds * 48000);
            return Array.from({ length: count }, (_, i) => makers[kind](i / count) * (i % 2 ? 1 : -1) || 0);
        });
        return m.measureGaps(Int16Array.from(pcm), 48000);
    }"""
    assert run_script("js/recorder/capture-watch.js", code, parts) == pytest.approx(seconds, abs=1e-3)


def test_take_says_how_much_sound_is_missing() -> None:
    code = """(losses) => losses.map((one) =>
        m.listLossFindings(one).map(({ text, blocks }) => [text.split(" is missing")[0], blocks]))"""
    losses = [{}, {"lostSeconds": 0.8}, {"gapSeconds": 0.03}, {"lostSeconds": 0.8, "gapSeconds": 0.5}]
    assert run_script("js/recorder/capture-watch.js", code, losses) == [
        [],
        [["About 0.8 s of the sound", False]],
        [["A small part of the sound", False]],
        [["About 1.3 s of the sound", False]],
    ]


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"sha256": "a", "next": "/receipt/"}, {"is": "accepted", "next": "/receipt/"}),
        (200, {"sha256": "a", "next": "", "problem": "Stereo."}, {"is": "refused", "text": "Stereo."}),
        (
            200,
            {"sha256": "b", "next": "/receipt/"},
            {"is": "failed", "text": "The file was damaged on the way. Send it again."},
        ),
        (0, {}, {"is": "unreachable"}),
        (502, {}, {"is": "unreachable"}),
        (504, {}, {"is": "unreachable"}),
        (503, {"problem": "The disk is full."}, {"is": "failed", "text": "The disk is full."}),
        (404, {}, {"is": "failed", "text": "This link no longer works. Ask the studio for a new one."}),
        (500, {}, {"is": "failed", "text": "The studio could not receive it. Send it again in a minute."}),
    ],
)
def test_answer_to_an_upload_is_understood(status: int, body: dict[str, str], outcome: dict[str, str]) -> None:
    code = """([status, body]) => m.interpretResponse({ status, body }, "a")"""
    assert run_script("js/recorder/upload.js", code, [status, body]) == outcome


def test_time_limit_ends_a_promise_that_is_never_settled() -> None:
    code = """async () => {
        const makeError = () => new Error("too late");
        const describe = (promise) => promise.then((value) => value, (error) => error.message);
        const slow = new Promise(() => null);
        return Promise.all([
            describe(m.limitTime(slow, 5, makeError)),
            describe(m.limitTime(Promise.resolve("done"), 1000, makeError)),
            describe(m.limitTime(Promise.reject(new Error("refused")), 1000, makeError)),
        ]);
    }"""
    assert run_script("js/recorder/time-limit.js", code) == ["too late", "done", "refused"]

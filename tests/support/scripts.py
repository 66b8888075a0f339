"""Runs modules of the pages without a browser, in the Node that comes with Playwright."""

import json
import subprocess
from pathlib import Path
from typing import Any

import playwright

STATIC = Path(__file__).parents[2] / "static"
NODE = Path(playwright.__file__).parent / "driver" / "node"
TIMEOUT_SECONDS = 60

RUNNER = """
const {{ default: run }} = await import("data:text/javascript," + encodeURIComponent({code}));
console.log(JSON.stringify(await run({values}) ?? null));
"""


def run_script(module: str, code: str, values: Any = None) -> Any:
    """Call a function with `values`: `code` is its source, with the exports of the module as `m`."""
    address = (STATIC / module).resolve().as_uri()
    source = f"import * as m from {json.dumps(address)};\nexport default {code};"
    script = RUNNER.format(code=json.dumps(source), values=json.dumps(values))
    done = subprocess.run(
        [NODE, "--input-type=module", "--no-warnings"],
        input=script,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

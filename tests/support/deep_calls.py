"""Keeps Python from asking the system for memory at each call of a function.

CPython 3.11 and later store the frames of Python functions in chunks of 16 KiB, and return a chunk as soon as its first
frame ends (`_PyThreadState_PushFrame`, `_PyThreadState_PopFrame`). Where the stack of a test just fills a chunk, each
call maps a new one and unmaps it again, which takes a hundred times as long as the call. pytest and Django have deep
stacks, so most tests meet such a place. A function with many variables needs a large chunk, and the frames of all that
it calls fit into the rest of it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")

# Just over half of a chunk of 2 MiB: the other half is free. A variable takes 8 bytes.
VARIABLES = 2**17 + 1
BODY = f"def run(call):\n    return call()\n    {' = '.join(f'v{number}' for number in range(VARIABLES))} = None\n"


def call_on_large_stack(call: Callable[[], Result]) -> Result:
    """Return the result of `call`, whose frames are stored in one chunk."""
    functions: dict[str, Any] = {}
    exec(BODY, functions)  # noqa: S102 - text of this module
    result: Result = functions["run"](call)
    return result

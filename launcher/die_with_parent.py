"""Exec another program that ends when its parent ends, however the parent ends.

Run as `python -I -S die_with_parent.py <parent's pid> <program> <arguments…>`. Linux kills the program when the
thread that started this process ends (PR_SET_PDEATHSIG outlives the exec). Other systems have no such call: there
the program is only started. This is a file of its own instead of a preexec_fn, which is not safe in a parent that has
threads.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # the parent ended before the call above
            sys.exit(0)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])

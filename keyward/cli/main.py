"""The command `keyward`. Commands that run at every commit are dispatched before anything slow is imported."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from keyward.errors import KeywardError


def entry() -> NoReturn:
    """The console script. Ends at once: tearing the interpreter down takes 4 ms that a commit need not wait for."""
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs keyward and answers with the exit code; the console script exits with it."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    return _guarded(lambda: _dispatch(words))


def _dispatch(words: list[str]) -> int:
    if words[:2] == ["hook", "run"] or words == ["scan", "--staged"]:
        # a short life that makes next to no cycles: not looking for them saves 8 of some 80 ms
        gc.disable()
    if words[:2] == ["hook", "run"] and words[2:] not in (["-h"], ["--help"]):  # a file may be called so
        from keyward.cli.hook_run import run

        return run(words[2:])
    if words[:1] == ["scan"]:
        from keyward.cli.scan_run import parse
        from keyward.cli.scan_run import run as run_scan

        parsed = parse(words[1:])
        if parsed is not None:
            return run_scan(**parsed)
    from keyward.cli.app import run_app

    return run_app(words)


def _guarded(command: Callable[[], int]) -> int:
    try:
        code = command()
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        _say("keyward: interrupted; nothing is half done")
        return 130
    except BrokenPipeError:  # the reader of our output is gone: nothing left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeywardError as error:
        from keyward.report.escape import log

        _say(f"keyward: {log(str(error))}")
        if error.hint:
            _say(f"  {log(error.hint)}")
        return error.exit_code
    except Exception as error:
        from keyward.cli.crash import report

        return report(error)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

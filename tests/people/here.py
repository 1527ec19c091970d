"""A command in this process, which has started already: its exit code, stdout and stderr."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

from neurodeploy.cli import execute


def here(*arguments, cwd):
    out, told = io.StringIO(), io.StringIO()
    before = Path.cwd()
    os.chdir(cwd)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
            code = execute(list(map(str, arguments)))
    finally:
        os.chdir(before)
    return code, out.getvalue(), told.getvalue()

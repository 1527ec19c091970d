"""Where compiled kernels are kept from one process to the next.

Numba keeps them beside their source, or, where that is read-only, in the user's cache folder;
`NUMBA_CACHE_DIR` names another place. Where neither can be written it gives up, so this process
then gets a folder of its own: it compiles the kernels once more, and runs.

Numba looks whether the file of a kernel has changed, not whether one that it is made of has
(`kernels.lanes`, say): what is older than any of them is dropped, for tables and kernels that do
not fit each other give wrong sums.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

__all__ = ["provide"]

_KERNELS = Path(__file__).parent / "kernels"


def provide() -> None:
    """See that Numba finds a folder; to be called before a kernel is imported."""
    _drop_older(_KERNELS / "__pycache__", _KERNELS)
    if os.environ.get("NUMBA_CACHE_DIR") or any(map(_is_writable, _places())):
        return
    folder = tempfile.mkdtemp(prefix="neurodeploy-kernels-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = folder
    if "numba" in sys.modules:  # it has read the environment already
        sys.modules["numba"].config.CACHE_DIR = folder


def _places() -> list[Path]:
    """Where Numba looks by itself."""
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        user = Path(os.environ.get("LOCALAPPDATA") or home)
    elif sys.platform == "darwin":
        user = home / "Library" / "Caches"
    else:
        user = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return [_KERNELS / "__pycache__", user / "numba"]


def _drop_older(compiled: Path, sources: Path) -> None:
    """Forget what was compiled before the last change of any source."""
    changed = max((path.stat().st_mtime for path in sources.glob("*.py")), default=0.0)
    for index in compiled.glob("*.nbi"):
        with contextlib.suppress(OSError):  # read-only, or gone meanwhile
            if index.stat().st_mtime < changed:
                index.unlink()


def _is_writable(folder: Path) -> bool:
    """Whether files can be made there, the folder itself if need be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)

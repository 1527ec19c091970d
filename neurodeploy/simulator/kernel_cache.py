"""Where compiled kernels are kept from one process to the next.

Numba keeps them beside their source, or, where that is read-only, in the user's cache folder;
`NUMBA_CACHE_DIR` names another place. Where neither can be written it gives up, so this process
then gets a folder of its own: it compiles the kernels once more, and runs.

Numba looks whether the file of a kernel has changed, not whether one that it is made of has
(`kernels.lanes`, say). So what was compiled from other sources than today's is dropped: tables and
kernels that do not fit each other give wrong sums.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

__all__ = ["provide"]

_KERNELS = Path(__file__).parent / "kernels"


def provide() -> None:
    """See that Numba finds a folder; to be called before a kernel is imported."""
    if os.environ.get("NUMBA_CACHE_DIR") or any(map(_is_writable, _places())):
        _drop_stale(_in_use(), _KERNELS)
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


def _in_use() -> Path:
    """The folder that Numba takes for our kernels."""
    beside, user = _places()
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if not chosen and _is_writable(beside):
        return beside
    # a folder of its own for each of sources, named after it
    name = f"{_KERNELS.name}_{hashlib.sha1(str(_KERNELS).encode()).hexdigest()}"
    return Path(chosen or user) / name


def _drop_stale(compiled: Path, sources: Path) -> None:
    """Forget what was compiled of other sources than these; note which they are."""
    digest = hashlib.sha256()
    for path in sorted(sources.glob("[!.]*.py")):
        digest.update(path.read_bytes())
    note = compiled / "sources.sha256"
    with contextlib.suppress(OSError):  # read-only: nothing is kept there either
        compiled.mkdir(parents=True, exist_ok=True)
        if not note.exists() or note.read_bytes() != digest.hexdigest().encode():
            for index in compiled.glob("*.nbi"):
                index.unlink(missing_ok=True)
            note.write_text(digest.hexdigest())


def _is_writable(folder: Path) -> bool:
    """Whether files can be made there, the folder itself if need be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)

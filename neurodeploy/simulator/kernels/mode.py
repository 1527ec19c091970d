"""How kernels run: compiled, or in pure Python where NUMBA_DISABLE_JIT is set."""

from __future__ import annotations

from typing import Any

from llvmlite import binding
from numba.core import config

__all__ = ["CAN_COMPRESS", "either"]

# numba fills its module of settings as it is imported
_settings: Any = config


def either(compiled: Any, pure: Any) -> Any:
    """A part of a kernel: an intrinsic, or what it does in Python."""
    return pure if _settings.DISABLE_JIT else compiled


def _can_compress() -> bool:
    if _settings.CPU_NAME or _settings.CPU_FEATURES:
        return "+avx512f" in (_settings.CPU_FEATURES or "")
    return bool(binding.get_host_cpu_features().get("avx512f", False))


#: Whether code is made for a processor that packs the chosen lanes of a vector (AVX-512).
CAN_COMPRESS = _can_compress()

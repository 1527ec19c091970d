"""How kernels run: compiled, or in pure Python where NUMBA_DISABLE_JIT is set."""

from __future__ import annotations

from typing import Any

from llvmlite import binding
from numba.core import config

__all__ = ["CAN_PACK_BYTES", "CAN_PACK_WORDS", "either"]

# numba fills its module of settings as it is imported
_settings: Any = config


def either(compiled: Any, pure: Any) -> Any:
    """A part of a kernel: an intrinsic, or what it does in Python."""
    return pure if _settings.DISABLE_JIT else compiled


def _has(feature: str) -> bool:
    """Whether code is made for a processor with it."""
    if _settings.CPU_NAME or _settings.CPU_FEATURES:
        there = f"+{feature}" in (_settings.CPU_FEATURES or "").split(",")
    else:
        there = binding.get_host_cpu_features().get(feature, False)
    return bool(there and _settings.ENABLE_AVX)


#: Whether it packs the chosen lanes of a vector: words of 32 bits (AVX-512), bytes (VBMI2).
CAN_PACK_WORDS = _has("avx512f")
CAN_PACK_BYTES = CAN_PACK_WORDS and _has("avx512vbmi2")

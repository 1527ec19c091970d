from __future__ import annotations

import pytest

pytest.importorskip("h5py", reason="needs the extra nir")
pytest.importorskip("nir", reason="needs the extra nir")

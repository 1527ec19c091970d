"""Random changes of `.npy` and `.npz` files; checksums of the archive are right again."""

from __future__ import annotations

import io
import random
import struct
import warnings
import zipfile

import numpy as np

__all__ = ["archive", "array_bytes", "mutate_array", "mutate_npz"]

_TYPES = ["<f8", "<f4", "<f2", ">f4", "|i1", "<i2", "<i4", "<i8", "|u1", "<u8", "|b1", "<c8", "|O",
          "|S3", "<U2", "<M8[s]", "|V4", "|V0", "<f4, <i2", "(2,)<f4", "f99", ""]  # fmt: skip
_HEADERS = ["", "{", "(" * 500, "[" * 9000, "{'descr': '<f4',", "'''", '"""', "\\", "0x" + "f" * 50,
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (10**9,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (" + "9" * 5000 + ",), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (True, 2.0), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': 3}",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 2L), }",
            "{'descr': '<f4', 'shape': (1,), }", "__import__('os')", "1+" * 3000 + "1",
            "{'descr': '<f4', 'fortran_order': 1, 'shape': ()}", "\x00", "\ttab", "  x",
            "lambda: 0", "{**{}}", "#", "\n\n\n", "if 1:\n  2\n 3"]  # fmt: skip


def array_bytes(array: np.ndarray) -> bytes:
    """A `.npy` file."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=False)
    return stream.getvalue()


def _with_header(text: str, body: bytes, version: tuple[int, int] = (1, 0)) -> bytes:
    header = text.encode("utf8", "surrogatepass")
    size = struct.pack("<H" if version == (1, 0) else "<I", len(header))
    return b"\x93NUMPY" + bytes(version) + size + header + body


def mutate_array(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    """One change of a `.npy` file, and what it was."""
    try:
        array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except Exception:  # an earlier change broke it
        return _flip(content, rng), "bytes"
    body = array.tobytes()
    kind = rng.choice(["values", "type", "shape", "said", "header", "bytes", "cut", "scalar",
                       "fortran", "version", "grown"])  # fmt: skip
    if kind == "values":
        return array_bytes(_other_values(array, rng)), kind
    if kind == "type":
        with np.errstate(all="ignore"):
            return array_bytes(array.astype(rng.choice(_TYPES[:12]))), kind
    if kind == "shape":
        return array_bytes(_other_shape(array, rng)), kind
    if kind == "said":
        shape = tuple(rng.choice([*array.shape, 0, 1, -1, 2**31, 2**62]) for _ in range(
            rng.choice([0, 1, 1, 2, 3, 4, 40])))  # fmt: skip
        header = {"descr": rng.choice(_TYPES), "fortran_order": False, "shape": shape}
        return _with_header(repr(header) + "\n", body), f"{kind} {header}"
    if kind == "header":
        return _with_header(rng.choice(_HEADERS), body), kind
    if kind == "cut":
        return content[: rng.randrange(len(content))], kind
    if kind == "scalar":
        return array_bytes(np.array(rng.choice([0, 1, 100, 1.5])).astype(array.dtype)), kind
    if kind == "fortran" and array.size:  # NumPy never ends with none of items of no bytes
        return array_bytes(np.asfortranarray(array)), kind
    if kind == "version":
        version = rng.choice([(2, 0), (3, 0), (0, 0), (9, 9), (255, 255)])
        header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
        return _with_header(repr(header) + "\n", body, version), f"{kind} {version}"
    if kind == "grown":
        return content + bytes(rng.choice([1, 4, 1000])), kind
    return _flip(content, rng), kind


def _flip(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content or b"x")
    for _ in range(rng.choice([1, 1, 3, 20])):
        # the header is where it hurts
        end = min(len(changed), 130) if rng.random() < 0.7 else len(changed)
        changed[rng.randrange(end)] = rng.randrange(256)
    return bytes(changed)


def _other_values(array: np.ndarray, rng: random.Random) -> np.ndarray:
    changed = np.array(array)
    flat = changed.reshape(-1)
    if not flat.size:
        return changed
    if array.dtype.kind in "fc":
        pool = [0, 1, -1, 1e-38, 1e38, np.inf, -np.inf, np.nan]
    elif array.dtype.kind in "iu":
        limits = np.iinfo(array.dtype)
        pool = [limits.min, limits.max, 0, 1, limits.max // 2]
    else:
        return changed
    with np.errstate(all="ignore"):
        if rng.random() < 0.3:
            flat[:] = rng.choice(pool)
        for _ in range(rng.choice([1, 2, 10])):
            flat[rng.randrange(flat.size)] = rng.choice(pool)
    return changed


def _other_shape(array: np.ndarray, rng: random.Random) -> np.ndarray:
    kind = rng.randrange(6)
    if kind == 0:
        return array.reshape(-1)
    if kind == 1:
        return array[None]
    if kind == 2:
        return array.T
    if kind == 3 and array.ndim:
        return array[:0]
    if kind == 4 and array.ndim:
        return np.concatenate([array] * rng.choice([2, 3]), rng.randrange(array.ndim))
    return array[..., None] if array.ndim < 30 else array


def archive(
    members: list[tuple[str, bytes]],
    compressed: bool = False,
    comment: bytes = b"",
) -> bytes:
    """A zip file; names may repeat."""
    stream = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", kind) as made:
        warnings.simplefilter("ignore")  # of names that repeat
        for name, content in members:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = kind
            made.fp.seek(0, 2)  # type: ignore[union-attr]
            made.writestr(info, content)
        made.comment = comment
    return stream.getvalue()


def members_of(content: bytes) -> list[tuple[str, bytes]]:
    """Members of a zip file that is whole."""
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return [(info.filename, opened.read(info)) for info in opened.infolist()]


def mutate_members(
    members: list[tuple[str, bytes]], rng: random.Random
) -> tuple[list[tuple[str, bytes]], str]:
    """One change of which members there are."""
    changed = list(members)
    at = rng.randrange(len(changed))
    name, data = changed[at]
    kind = rng.choice(["drop", "twice", "rename", "order", "more", "empty"])
    if kind == "drop":
        del changed[at]
    elif kind == "twice":
        changed.insert(rng.randrange(len(changed) + 1), (name, mutate_array(data, rng)[0]))
    elif kind == "rename":
        changed[at] = (rng.choice(["x.npy", "y.npy", "../x.npy", "/x", "a" * 300, "X.npy"]), data)
    elif kind == "order":
        rng.shuffle(changed)
    elif kind == "more":
        changed.append((rng.choice(["z.npy", "d/", "\u202e.npy"]), rng.randbytes(20)))
    else:
        changed[at] = (name, b"")
    return changed, f"{kind} {name}"


def mutate_npz(content: bytes, rng: random.Random) -> tuple[bytes, list[str]]:
    """Some changes of an archive of arrays, packed again with right checksums."""
    members, changes = members_of(content), []
    for _ in range(rng.choice([1, 1, 2, 3])):
        if not members or rng.random() < 0.25:
            if members:
                members, said = mutate_members(members, rng)
                changes.append(said)
            continue
        at = rng.randrange(len(members))
        name, data = members[at]
        data, said = mutate_array(data, rng)
        members[at] = (name, data)
        changes.append(f"{name}: {said}")
    packed = archive(members, rng.random() < 0.3, rng.choice([b"", b"", b"comment"]))
    if rng.random() < 0.1:
        packed = _flip(packed, rng)
        changes.append("bytes of the archive")
    return packed, changes

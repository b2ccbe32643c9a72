"""Grammar of damage, as Hypothesis strategies: bytes of a file, nodes of a document, arrays of an archive.

What Hypothesis draws it can shrink, so a finding ends as the smallest change that shows it.
"""

from __future__ import annotations

import copy
import functools
import io
import json
import zipfile

import numpy as np
from hypothesis import strategies as st

#: Values that no one would write on purpose.
STRANGE = st.one_of(
    st.sampled_from([None, True, False, -1, 0, 1, 2, 7, 2**31, 2**63, 10**18, 10**400, -(10**30)]),
    st.sampled_from([0.5, -0.0, 1e-320, 1e308, float("nan"), float("inf")]),
    st.sampled_from(["", " ", "x", "0", "-1", "nan", "trig", "gaussian", "scene", "1e999", "\x00", "é", "\ud7ff", "../x"]),
    st.sampled_from(["/etc", "a" * 300, "a\nb", "[b]", "{", "%s"]),
    st.sampled_from([[], {}, [[]], [None], [1, 2], ["a", "a"], {"": 0}, {"family": "scene"}, [[0.0] * 3] * 3, [1e308] * 4]),
    st.floats(allow_nan=True),
    st.integers(-5, 5000),
    st.text(max_size=6),
)

CHUNKS = (
    b"\x00",
    b"\xff" * 4,
    b"\x00" * 64,
    b"PK\x03\x04",
    b"\x93NUMPY",
    b"NaN",
    b'"',
    b"{",
    b"]",
    b",",
    b"\n",
    b"=",
    b"9" * 30,
    b"\xc3\x28",
)


@st.composite
def damaged_bytes(draw: st.DrawFn, whole: bytes) -> bytes:
    """Up to four cuts, repetitions, insertions and flips."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(["flip", "set", "cut", "repeat", "insert", "end"])):
            case "flip":
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "set":
                data[at] = draw(st.integers(0, 255))
            case "cut":
                del data[at : at + draw(st.integers(1, 64))]
            case "repeat":
                data[at:at] = data[at : at + draw(st.integers(1, 64))]
            case "insert":
                data[at:at] = draw(st.sampled_from(CHUNKS))
            case "end":
                del data[at:]
    return bytes(data)


def places(document: object, here: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The paths of all nodes below the root."""
    entries = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    return [path for key, value in entries for path in [(*here, key), *places(value, (*here, key))]]


@st.composite
def damaged_document(draw: st.DrawFn, whole: object) -> object:
    """Up to three nodes replaced, removed, doubled, moved or wrapped."""
    document = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        paths = places(document)
        if not paths:
            return document
        *above, key = draw(st.sampled_from(paths))
        parent = document
        for step in above:
            parent = parent[step]
        match draw(st.sampled_from(["replace", "replace", "remove", "double", "wrap", "swap", "grow"])):
            case "replace":
                parent[key] = copy.deepcopy(draw(STRANGE))
            case "remove":
                del parent[key]
            case "double":
                copied = copy.deepcopy(parent[key])
                if isinstance(parent, list):
                    parent.insert(key, copied)
                else:
                    parent[draw(st.text(max_size=4))] = copied
            case "wrap":
                parent[key] = [parent[key]]
            case "swap":
                *_, other = draw(st.sampled_from(paths))
                if other in (parent if isinstance(parent, dict) else range(len(parent))):
                    parent[key], parent[other] = parent[other], parent[key]
            case "grow":
                number = parent[key]
                if isinstance(number, (int, float)) and abs(number) < 1e300:
                    parent[key] = number * draw(st.sampled_from([-1, 0, 2, 0.5, 10, 1000, 10**9]))
    return document


def damaged_json(whole: bytes) -> st.SearchStrategy[bytes]:
    """A JSON file, damaged as a document or as bytes."""
    document = json.loads(whole)
    written = damaged_document(document).map(lambda value: json.dumps(value).encode())
    return st.one_of(written, written, damaged_bytes(whole))


def toml_value(value: object) -> str:
    """A value as TOML writes it; what TOML cannot say becomes a text."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {toml_value(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps("" if value is None else str(value), ensure_ascii=True)


def toml(document: object) -> bytes:
    """A document as TOML, one key a line."""
    if not isinstance(document, dict):
        return toml_value(document).encode()
    return "\n".join(f"{json.dumps(str(key))} = {toml_value(value)}" for key, value in document.items()).encode(
        "utf-8", "replace"
    )


@st.composite
def damaged_archive(draw: st.DrawFn, whole: bytes) -> bytes:
    """A ``.npz`` file: its arrays replaced, its headers made to lie, objects put in, or bytes damaged."""
    if draw(st.booleans()):
        return draw(damaged_bytes(whole))
    with np.load(io.BytesIO(whole)) as archive:
        arrays = {name: archive[name] for name in archive.files}
    name = draw(st.sampled_from(sorted(arrays)))
    match draw(st.sampled_from(["dtype", "shape", "value", "object", "remove", "extra", "lie", "bomb", "note"])):
        case "dtype":
            kinds = ["<f4", ">f8", "<f2", "c16", "i8", "u1", "?", "S4", "U3", "M8[s]", [("a", "f8")]]
            arrays[name] = np.zeros(arrays[name].shape, np.dtype(draw(st.sampled_from(kinds))))
        case "shape":
            arrays[name] = np.zeros(
                draw(st.sampled_from([(), (0,), (1,), (0, 4), (3, 0), (2, 2, 2), (5,)])), arrays[name].dtype
            )
        case "value":
            changed = np.array(arrays[name])
            if changed.size and changed.dtype.kind == "f":
                changed.flat[0] = draw(st.sampled_from([np.nan, np.inf, -1.0, 0.0, 1e300]))
            arrays[name] = changed
        case "object":
            arrays[name] = np.array([Trap(), None], dtype=object)
        case "remove":
            del arrays[name]
        case "extra":
            arrays[draw(st.text(st.characters(codec="ascii", exclude_characters="/\x00"), max_size=5)) + "x"] = np.zeros(3)
        case "note":
            arrays["metadata"] = np.frombuffer(draw(damaged_json(arrays["metadata"].tobytes())), np.uint8)
        case "lie":
            return _rewritten(
                whole, f"{name}.npy", draw(st.sampled_from(["(10000000000000,)", "(-1,)", "(2, 99999999)"])), False
            )
        case "bomb":
            return _rewritten(whole, f"{name}.npy", "(400000000,)", True)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@functools.cache
def _rewritten(whole: bytes, member: str, shape: str, filled: bool) -> bytes:
    """The archive with one member whose header states another shape; ``filled``: with many zeros behind it, deflated."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(buffer, "w") as new:
        for info in old.infolist():
            if info.filename != member:
                new.writestr(info, old.read(info))
                continue
            header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
            head = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
            body = bytes(1 << 28) if filled else bytes(64)
            new.writestr(member, head + body, zipfile.ZIP_DEFLATED if filled else zipfile.ZIP_STORED, 1)
    return buffer.getvalue()


sprung: list[int] = []


def spring(mark: int) -> None:
    """What a :class:`Trap` does."""
    sprung.append(mark)


class Trap:
    """Whoever unpickles this runs code of the file: it leaves a mark that the tests look for."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return spring, (1,)

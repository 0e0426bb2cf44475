"""Which pictures are trained on and which are held out: chosen once, saved, and the same on every machine.

A split depends on the names of the pictures, their classes and the seed alone: the order comes from BLAKE2b
of seed and name, so that neither the container nor a library's random generator has a say in it.
"""

import hashlib
import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from glauke import files
from glauke.errors import DataError, UsageError

from .packing._pack import Pack

KINDS = ("pooled", "train-only", "official")

# What NumPy and zipfile raise on damaged files.
_DAMAGES = (
    ValueError,
    LookupError,
    EOFError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    SyntaxError,
    MemoryError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """Two sets of pictures of a pack that share no picture, no content and no group."""

    kind: str
    """"pooled", "train-only" or "official"."""
    seed: int
    """What the held-out pictures were drawn with; without effect on "official"."""
    val_fraction: float
    """The share that was asked for; for "official" the share that the data has."""
    train: Int64[np.ndarray, " n"]
    """Indices into the pack, sorted."""
    val: Int64[np.ndarray, " m"]
    """Indices of the held-out pictures, sorted."""
    fingerprint: str
    """SHA-256 of the kind, the pack's fingerprint and both index arrays."""
    notes: tuple[str, ...] = ()
    """What a person should know, such as training pictures that were left out."""


def split_kinds(pack: Pack) -> tuple[str, ...]:
    """The kinds of split that the data offers, out of "pooled", "train-only" and "official"."""
    more = "train" in pack.part_names and len(pack.part_names) > 1
    return KINDS if more else ("pooled",)


def make_split(pack: Pack, *, kind: str | None = None, val_fraction: float = 0.3, seed: int = 0) -> Split:
    """Divide the pictures of a pack, or of its training part, so that nothing leaks from one side to the other.

    `pooled` takes all parts together, `train-only` the training part alone, both stratified: every class
    gives round(n * val_fraction) pictures, at least one to each side; pictures of equal content or group stay
    together, which can move a count where a class has few others to fill up with. `official` is the data's
    own training part against its validation part, or test part if it has no other: there the held-out side
    stays whole and training pictures that also lie in it are left out, with a note.

    Without `kind` it is "pooled" for tiny-imagenet, else "official" where the data offers it.

    Raises:
        UsageError: a fraction outside (0, 1), or a kind that the data does not offer.
        DataError: a class that cannot be on both sides.
    """
    offered = split_kinds(pack)
    if kind is None:
        kind = "official" if "official" in offered and pack.data != "tiny-imagenet" else "pooled"
    if kind not in offered:
        has = "no official parts" if len(pack.part_names) < 2 else f"the parts {', '.join(pack.part_names)}"
        raise UsageError(
            f"there is no split {kind!r} of {pack.data}, which has {has}",
            place="--split",
            fix=f"choose {' or '.join(offered)}",
        )
    if not 0 < val_fraction < 1:
        raise UsageError(
            f"the validation fraction must lie between 0 and 1, not at {val_fraction}", place="--val-fraction"
        )
    if kind == "official":
        train, val, notes = _official(pack)
        val_fraction = len(val) / (len(train) + len(val))
    else:
        pool = np.flatnonzero(pack.parts == pack.part_names.index("train")) if kind == "train-only" else None
        chosen = np.arange(len(pack.labels)) if pool is None else pool
        held_out = _drawn(pack, chosen, val_fraction=val_fraction, seed=seed)
        train, val, notes = chosen[~held_out], chosen[held_out], ()
    _check_classes(pack, train, val)
    _check_apart(pack, train, val)
    return Split(
        kind=kind,
        seed=seed,
        val_fraction=val_fraction,
        train=train.astype(np.int64),
        val=val.astype(np.int64),
        fingerprint=_fingerprint(kind, pack, train, val),
        notes=notes,
    )


def save_split(split: Split, path: Path) -> None:
    """Write a split as .npz without pickle; the same split gives the same bytes."""
    file = io.BytesIO()
    np.savez(
        file,
        allow_pickle=False,
        kind=np.array(split.kind),
        seed=np.array(str(split.seed)),  # of any length
        val_fraction=np.array(split.val_fraction),
        train=split.train,
        val=split.val,
        fingerprint=np.array(split.fingerprint),
        notes=np.array(split.notes, dtype=np.str_),
    )
    files.write_bytes(path, file.getvalue())


def load_split(path: Path, pack: Pack) -> Split:
    """Read a split of this very pack; `DataError` if it is damaged, another pack's, or leaks."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            split = Split(
                kind=str(stored["kind"]),
                seed=int(str(stored["seed"])),
                val_fraction=float(stored["val_fraction"]),
                train=stored["train"].astype(np.int64),
                val=stored["val"].astype(np.int64),
                fingerprint=str(stored["fingerprint"]),
                notes=tuple(str(note) for note in stored["notes"]),
            )
    except OSError as error:
        raise DataError(f"the split cannot be read: {error.strerror or error}", place=str(path)) from error
    except _DAMAGES as error:
        raise DataError(f"this is not a split that glauke saved ({error})", place=str(path)) from error
    if split.fingerprint != _fingerprint(split.kind, pack, split.train, split.val):
        raise DataError(
            f"this split is damaged or belongs to other pictures than those of {pack.data}",
            place=str(path),
            fix="give the data that the run was started with",
        )
    _check_apart(pack, split.train, split.val)
    return split


def _official(pack: Pack) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    held_out = "val" if "val" in pack.part_names else "test"
    train = np.flatnonzero(pack.parts == pack.part_names.index("train"))
    val = np.flatnonzero(pack.parts == pack.part_names.index(held_out))
    shared = np.isin(pack.duplicates[train], pack.duplicates[val])
    if not shared.any():
        return train, val, ()
    note = f"{int(shared.sum()):,} pictures of the training part are left out: the {held_out} part has them too"
    return train[~shared], val, (note,)


def _drawn(pack: Pack, chosen: Int64[np.ndarray, " n"], *, val_fraction: float, seed: int) -> Bool[np.ndarray, " n"]:
    """Which of the chosen pictures are held out."""
    labels = pack.labels[chosen]
    counts = np.bincount(labels, minlength=len(pack.classes))
    lone = [pack.readable[i] for i in np.flatnonzero(counts < 2)]
    if lone:
        raise DataError(
            f"{_listed(lone)} {_have(lone)} fewer than two pictures and cannot be on both sides",
            place=pack.data,
            fix="add pictures or remove the class",
        )
    wanted = np.array([_held_out(n, val_fraction) for n in counts.tolist()])
    names = list(pack.names)
    keys = np.array([_key(seed, names[i]) for i in chosen.tolist()], dtype="S16")
    _, component, sizes = np.unique(pack.duplicates[chosen], return_inverse=True, return_counts=True)
    held_out = np.zeros(len(chosen), bool)
    taken = _together(labels, component, sizes, keys, counts=counts, wanted=wanted, held_out=held_out)
    single = sizes[component] == 1
    for label in range(len(counts)):
        mine = np.flatnonzero(single & (labels == label))
        mine = mine[np.argsort(keys[mine], kind="stable")]
        held_out[mine[: max(0, wanted[label] - taken[label])]] = True
    return held_out


def _held_out(count: int, fraction: float) -> int:
    return min(max(round(count * fraction), 1), count - 1)


def _together(
    labels: np.ndarray,
    component: np.ndarray,
    sizes: np.ndarray,
    keys: np.ndarray,
    *,
    counts: np.ndarray,
    wanted: np.ndarray,
    held_out: np.ndarray,
) -> np.ndarray:
    """Place every component of several pictures on one side; how many of each class were held out by that.

    Large ones first, in the order of their keys among those of like size. Each goes where it exceeds the
    wanted counts least, then where more is still missing.
    """
    room = {True: wanted.copy(), False: counts - wanted}  # by held out or not
    order = np.argsort(component, kind="stable")
    members = np.split(order, np.cumsum(sizes)[:-1])
    several = [each for each in members if len(each) > 1]
    several.sort(key=lambda each: (-len(each).bit_length(), min(keys[each].tolist())))
    placed = []
    for each in several:
        need = np.bincount(labels[each], minlength=len(counts))

        def cost(side: bool, need: np.ndarray = need) -> tuple[int, float]:
            whole = np.maximum(wanted if side else counts - wanted, 1)
            missing = float((need * room[side] / whole).sum())
            return int(np.maximum(need - room[side], 0).sum()), -missing

        first = min(keys[each].tolist()) < _SPREAD  # an even choice where both are as good
        side = min((first, not first), key=cost)
        room[side] -= need
        held_out[each] = side
        placed.append((each, need))
    singles = np.bincount(labels[sizes[component] == 1], minlength=len(counts))
    _both_sides(placed, held_out, labels, singles)
    return np.bincount(labels[held_out], minlength=len(counts))


_SPREAD = b"\x80"


def _both_sides(
    placed: list[tuple[np.ndarray, np.ndarray]], held_out: np.ndarray, labels: np.ndarray, singles: np.ndarray
) -> None:
    """Where a class without single pictures ended on one side, move its smallest component if no other suffers."""
    for label in np.flatnonzero(singles == 0).tolist():
        sides = set(held_out[labels == label].tolist())
        if len(sides) != 1:
            continue
        (side,) = sides
        for each, need in sorted(placed, key=lambda item: len(item[0])):
            if not need[label]:
                continue
            left = np.bincount(labels[held_out == side], minlength=len(need)) - need + singles
            if (left[need > 0] > 0).all():
                held_out[each] = not side
                break


def _check_classes(pack: Pack, train: np.ndarray, val: np.ndarray) -> None:
    for side, indices in (("training", train), ("held-out", val)):
        absent = np.setdiff1d(np.arange(len(pack.classes)), pack.labels[indices])
        missing = [pack.readable[i] for i in absent]
        if missing:
            raise DataError(
                f"{_listed(missing)} {_have(missing)} no pictures on the {side} side",
                place=pack.data,
                fix="add pictures, remove the class, or choose another split",
            )


def _check_apart(pack: Pack, train: np.ndarray, val: np.ndarray) -> None:
    both = np.concatenate([train, val])
    inside = len(both) == 0 or (both.min() >= 0 and both.max() < len(pack.labels))
    once = inside and len(np.unique(both)) == len(both)
    if not once or np.isin(pack.duplicates[train], pack.duplicates[val]).any():
        raise DataError("training and held-out pictures overlap", place=pack.data)


def _key(seed: int, name: str) -> bytes:
    # The last byte is never zero, which NumPy would cut off.
    return hashlib.blake2b(f"{seed}\0{name}".encode(), digest_size=15).digest() + b"\x01"


def _fingerprint(kind: str, pack: Pack, train: np.ndarray, val: np.ndarray) -> str:
    digest = hashlib.sha256(f"{kind}\0{pack.fingerprint}\0{len(train)}\0".encode())
    digest.update(train.astype("<i8").tobytes())
    digest.update(val.astype("<i8").tobytes())
    return digest.hexdigest()


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ("the classes " if len(names) > 1 else "the class ") + ", ".join(map(repr, names[:5])) + more


def _have(names: list[str]) -> str:
    return "has" if len(names) == 1 else "have"

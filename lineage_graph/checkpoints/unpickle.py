"""A pickle machine that calls nothing: every global is a name, every object an inert record.

Python's own unpickler imports and calls what a pickle names, and even torch's restricted one fills gigabytes for a
pickle of 40 bytes (``bytearray``) and overflows the stack on a nested key. This one interprets the opcodes, whose
arguments ``pickletools`` decodes, and knows only how to rebuild tensors and plain arrays (``rebuild``).
Opcodes: https://docs.python.org/3/library/pickletools.html
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Hashable
from typing import IO, Any, cast

from lineage_graph.checkpoints.joblib import WRAPPER, inline_array
from lineage_graph.checkpoints.keys import fill
from lineage_graph.checkpoints.limits import MAX_PICKLE_BYTES, MAX_PICKLE_OPCODES, MAX_RANK
from lineage_graph.checkpoints.literals import Literals
from lineage_graph.checkpoints.nodes import Global, Inert, NumpyArray, NumpyType
from lineage_graph.checkpoints.rebuild import BUILDERS, REBUILDERS, canonical
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.errors import CorruptFileError, LimitExceededError, TruncatedFileError

_LITERALS = (
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
)
_FREE = 16 << 20
_ENTRY = 64
"""Bytes that an entry of a copied dict takes, at least."""

_CUT = ("exhausted", "expected", "not enough", "no newline")


class Machine:
    """Interprets one pickle after another of ``source``; ``stream`` stands where the last one ended.

    ``persistent`` turns a persistent id into a node. ``met`` collects the names of all globals. ``plain`` stays true
    while no set and no dict key is met that other unpicklers could choke on. ``nested``: this pickle lies inside
    another one, and may hold no further.
    """

    def __init__(self, source: ByteSource, persistent: Callable[[object], object], nested: bool = False) -> None:
        self.source, self.persistent, self.nested = source, persistent, nested
        self.label, self.stream = source.label, source.stream()
        self._literals = Literals(self.stream, source.label)
        self.met: set[str] = set()
        self.plain = True
        self.stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self.opcodes = 0
        self._budget = 2 * min(source.size, MAX_PICKLE_BYTES // 2) + _FREE

    def load(self) -> object:
        """The next pickle's root node.

        Raises TruncatedFileError, CorruptFileError for what no pickler writes, LimitExceededError.
        """
        self.stack, self._marks, self._memo = [], [], {}
        try:
            for opcode, argument, _ in pickletools.genops(cast(IO[bytes], self._literals)):
                self.opcodes += 1
                if self.opcodes > MAX_PICKLE_OPCODES:
                    self.count(0)
                if opcode.name == "STOP":
                    return self.stack.pop()
                _HANDLERS[opcode.name](self, argument)
        except LookupError as error:
            raise CorruptFileError(f"{self.label}: the pickle uses a value or an opcode that is not there") from error
        except ValueError as error:
            kind = TruncatedFileError if any(word in str(error) for word in _CUT) else CorruptFileError
            detail = " ".join(str(error).split())[:100]
            raise kind(f"{self.label}: the pickle is damaged ({detail})") from error
        raise TruncatedFileError(f"{self.label}: the pickle has no end")

    def count(self, opcodes: int) -> None:
        """Account for ``opcodes``, of this pickle or of one inside it. Raises LimitExceededError for too many."""
        self.opcodes += opcodes
        if self.opcodes > MAX_PICKLE_OPCODES:
            raise LimitExceededError(f"{self.label}: the pickle has more than {MAX_PICKLE_OPCODES} opcodes")

    def spend(self, amount: int, entries: int = 0) -> None:
        """Account for ``amount`` bytes and ``entries`` of a dict that an opcode copies, so that a small pickle cannot
        grow large.

        Raises LimitExceededError where they come to more than twice the pickle's size.
        """
        self._budget -= amount + _ENTRY * entries
        if self._budget < 0:
            raise LimitExceededError(f"{self.label}: the pickle unfolds to far more than its size")

    def make(self, what: object, arguments: object) -> object:
        """Rebuild a tensor, an array or a plain container; anything else becomes an inert record of the wish."""
        rebuild = REBUILDERS.get(str(what)) if isinstance(what, Global) else None
        if rebuild is None or not isinstance(what, Global) or not isinstance(arguments, tuple):
            return Inert(what, arguments)
        return rebuild(self, what, arguments)

    def naturals(self, value: object) -> tuple[int, ...]:
        """A shape or strides. Raises CorruptFileError for anything else."""
        if not isinstance(value, tuple | list) or len(value) > MAX_RANK:
            raise CorruptFileError(f"{self.label}: a tensor's shape is no short tuple")
        if not all(type(number) is int and 0 <= number < 1 << 62 for number in value):
            raise CorruptFileError(f"{self.label}: a tensor's shape or strides are no natural numbers")
        return tuple(value)

    def push(self, value: object) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def mark(self) -> None:
        """Start a new run of values."""
        self._marks.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        """The run of values since the last mark, which is taken off."""
        items, self.stack = self.stack, self._marks.pop()
        return items

    def drop_run(self) -> None:
        """Drop the run of values since the last mark."""
        self.since_mark()

    def pop(self) -> None:
        """Drop the top value, or an empty run."""
        if self.stack:
            self.stack.pop()
        else:
            self.drop_run()

    def put(self, index: int | None) -> None:
        """Remember the top value, by default under the next free index."""
        self._memo[len(self._memo) if index is None else index] = self.stack[-1]

    def get(self, index: int) -> None:
        """Push a remembered value."""
        self.stack.append(self._memo[index])

    def tuple(self, count: int) -> None:
        """Join the top ``count`` values."""
        items = [self.stack.pop() for _ in range(count)]
        self.stack.append(tuple(reversed(items)))

    def extend(self, items: list[Any]) -> None:
        """Append to the list on top of the stack."""
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(items)
        elif isinstance(target, Inert):
            target.items.update(enumerate(items, len(target.items)))

    def fill(self, table: dict[Hashable, object], items: list[Any]) -> dict[Hashable, object]:
        """Fill ``table`` from alternating keys and values, and return it."""
        if not fill(table, items):
            self.plain = False
        return table

    def set(self, make: Callable[[], object]) -> None:
        """Push a set, which is kept as a list or tuple: its members are never hashed."""
        self.plain = False
        self.push(make())

    def set_items(self, items: list[Any]) -> None:
        """Fill the dict on top of the stack from alternating keys and values."""
        target = self.stack[-1]
        table = target.items if isinstance(target, Inert) else target
        if isinstance(table, dict):
            self.fill(table, items)

    def set_item(self) -> None:
        """Fill one entry of the dict below the top key and value."""
        value, key = self.stack.pop(), self.stack.pop()
        self.set_items([key, value])

    def named(self, module: object, name: object) -> Global:
        """The global of that name, noted as met."""
        if not isinstance(name, str) or not isinstance(module, str):
            raise CorruptFileError(f"{self.label}: the pickle names a global by something that is no text")
        found = canonical(module, name)
        self.met.add(str(found))
        return found

    def stack_global(self) -> None:
        """Push the global whose module and name are on the stack."""
        name, module = self.stack.pop(), self.stack.pop()
        self.push(self.named(module, name))

    def reduce(self) -> None:
        """Make an object of the function and the arguments on the stack."""
        arguments, what = self.stack.pop(), self.stack.pop()
        self.push(self.make(what, arguments))

    def new_object(self) -> None:
        """As :meth:`reduce`; keyword arguments on top are dropped."""
        self.stack.pop()
        self.reduce()

    def instance(self, argument: str) -> None:
        """Make an object of a named class and the run of arguments."""
        what = self.named(*argument.split(" ", 1))
        self.push(self.make(what, tuple(self.since_mark())))

    def object(self) -> None:
        """Make an object of a run that starts with its class."""
        items = self.since_mark()
        self.push(self.make(items[0], tuple(items[1:])))

    def build(self) -> None:
        """Give the object below the top its state."""
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, NumpyArray | NumpyType):
            BUILDERS[type(target)](self, target, state)
        elif isinstance(target, Inert):
            if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
                slots, state = state[1], state[0] if isinstance(state[0], dict) else {}
                self.spend(0, entries=len(slots) + len(state))
                state = {**state, **slots}
            target.state = state
            if isinstance(state, dict) and isinstance(target.what, Global) and str(target.what) == WRAPPER:
                self.stack[-1] = inline_array(self, state)


_HANDLERS: dict[str, Callable[[Machine, Any], None]] = {
    **dict.fromkeys(_LITERALS, Machine.push),
    **dict.fromkeys(("PROTO", "FRAME", "READONLY_BUFFER"), lambda m, a: None),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), Machine.put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), Machine.get),
    **dict.fromkeys(("APPENDS", "ADDITEMS"), lambda m, a: m.extend(m.since_mark())),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), lambda m, a: m.reduce()),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), lambda m, a: m.push(m.named("copyreg", f"extension_{a}"))),
    "NONE": lambda m, a: m.push(None),
    "NEWTRUE": lambda m, a: m.push(True),
    "NEWFALSE": lambda m, a: m.push(False),
    "EMPTY_TUPLE": lambda m, a: m.push(()),
    "EMPTY_LIST": lambda m, a: m.push([]),
    "EMPTY_SET": lambda m, a: m.set(list),
    "FROZENSET": lambda m, a: m.set(lambda: tuple(m.since_mark())),
    "TUPLE": lambda m, a: m.push(tuple(m.since_mark())),
    "EMPTY_DICT": lambda m, a: m.push({}),
    "LIST": lambda m, a: m.push(m.since_mark()),
    "DICT": lambda m, a: m.push(m.fill({}, m.since_mark())),
    "TUPLE1": lambda m, a: m.tuple(1),
    "TUPLE2": lambda m, a: m.tuple(2),
    "TUPLE3": lambda m, a: m.tuple(3),
    "APPEND": lambda m, a: m.extend([m.stack.pop()]),
    "SETITEM": lambda m, a: m.set_item(),
    "SETITEMS": lambda m, a: m.set_items(m.since_mark()),
    "MARK": lambda m, a: m.mark(),
    "POP": lambda m, a: m.pop(),
    "POP_MARK": lambda m, a: m.drop_run(),
    "DUP": lambda m, a: m.push(m.stack[-1]),
    "GLOBAL": lambda m, a: m.push(m.named(*a.split(" ", 1))),
    "STACK_GLOBAL": lambda m, a: m.stack_global(),
    "NEWOBJ_EX": lambda m, a: m.new_object(),
    "INST": Machine.instance,
    "OBJ": lambda m, a: m.object(),
    "BUILD": lambda m, a: m.build(),
    "PERSID": lambda m, a: m.push(m.persistent(a)),
    "BINPERSID": lambda m, a: m.push(m.persistent(m.stack.pop())),
}
"""What each opcode does. ``NEXT_BUFFER`` is absent: its values lie outside the file."""

"""What becomes of values that are not JSON: the table in docs/programs.md.

A type is looked up by the name of its module and its own, along its bases, or by what it has: nothing
is imported for it. What a row gives is converted in its turn.
"""

import base64
import functools


class Unfit(ValueError):
    """The value is of a type that has a row, and cannot be converted all the same."""


@functools.lru_cache(maxsize=256)
def find(kind):
    """The conversion for a type: takes a value, gives what stands for it. None where there is none."""
    for base in kind.__mro__[:-1]:
        module = getattr(base, "__module__", None)
        name = "%s.%s" % (module.partition(".")[0] if isinstance(module, str) else "", base.__name__)
        row = _BY_NAME.get(name)
        if row is not None:
            return row
    for member, row in _BY_MEMBER:
        if hasattr(kind, member):
            return row
    return None


def duration(value):
    """A timedelta as ISO 8601 writes durations, such as P1DT2H or -PT0.5S."""
    micros = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    nanos = micros * 1_000 + getattr(value, "nanoseconds", 0)  # pandas has them
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    seconds, nanos = divmod(nanos, 1_000_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    fraction = ("%d.%09d" % (seconds, nanos)).rstrip("0") if nanos else str(seconds)
    parts = ((hours, "%dH" % hours), (minutes, "%dM" % minutes), (seconds or nanos, fraction + "S"))
    time = "".join(text for amount, text in parts if amount)
    date = "%dD" % days if days else ""
    return sign + "P" + date + ("T" + time if time else "" if date else "T0S")


def _isoformat(value):
    return value.isoformat()


def _value(value):
    return value.value


def _null(_value):
    return None


def _bytes(value):
    return base64.b64encode(value).decode("ascii")


def _set(value):
    """A set has no order: sorted where it can be, so that the same program gives the same value."""
    items = list(value)
    try:
        items.sort()
    except TypeError:
        pass
    return items


def _mapping(value):
    return dict(value)


def _exception(value):
    return {"name": type(value).__name__, "message": str(value)}


def _row(value):
    return dict(zip(value.keys(), value))


def _tolist(value):
    return value.tolist()


def _unfit(value):
    raise Unfit("%s is not a JSON value" % type(value).__name__)


def _dataclass(value):
    return {name: getattr(value, name) for name, field in type(value).__dataclass_fields__.items()
            if field._field_type.name == "_FIELD"}  # not its ClassVar and InitVar


def _attrs(value):
    return {each.name: getattr(value, each.name) for each in type(value).__attrs_attrs__}


def _struct(value):
    return {name: getattr(value, name) for name in type(value).__struct_fields__}


def _pydantic(value):
    return value.model_dump(mode="json")


def _scalar(value):
    """A numpy scalar. Times have no item of their own but a number, where they are of nanoseconds."""
    if value.dtype.kind == "M":
        return None if str(value) == "NaT" else str(value)
    if value.dtype.kind == "m":
        return value.astype("timedelta64[us]").item()
    item = value.item()
    return float(item) if type(item) is type(value) else item  # a long double is its own item


def _array(value):
    if value.dtype.kind == "M":
        return _not_a_time(value.astype(str).tolist())
    return value.astype("timedelta64[us]").tolist() if value.dtype.kind == "m" else value.tolist()


def _not_a_time(value):
    if isinstance(value, list):
        return [_not_a_time(item) for item in value]
    return None if value == "NaT" else value


def _pandas_frame(value):
    """Records, one for each row; an index that says something is a column of them."""
    if _has_labels(value.index):
        try:
            value = value.reset_index()
        except ValueError:
            pass  # a column has its name already
    return value.to_dict(orient="records")


def _pandas_series(value):
    """A list; by label where the index has labels."""
    return value.to_dict() if _has_labels(value.index) and value.index.is_unique else value.tolist()


def _has_labels(index):
    return index.name is not None or index.nlevels > 1 or index.dtype.kind not in "iu"


# By the root of the module's name, since packages move their types between modules.
_BY_NAME = {
    "enum.Enum": _value,
    "datetime.date": _isoformat,  # and datetime.datetime, which extends it
    "datetime.time": _isoformat,
    "datetime.timedelta": duration,
    "datetime.tzinfo": str,
    "uuid.UUID": str,
    "pathlib.PurePath": str,
    "decimal.Decimal": str,
    "fractions.Fraction": str,
    "builtins.complex": str,
    "ipaddress._IPAddressBase": str,
    "builtins.set": _set,
    "builtins.frozenset": _set,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytes,
    "builtins.memoryview": _bytes,
    "builtins.BaseException": _exception,
    "builtins.mappingproxy": _mapping,
    "collections.Mapping": _mapping,
    "types.SimpleNamespace": vars,
    "sqlite3.Row": _row,
    "builtins.range": iter,
    "builtins.dict_keys": iter,
    "builtins.dict_values": iter,
    "builtins.dict_items": iter,
    "collections.deque": iter,
    "collections.Set": iter,
    "collections.Sequence": iter,
    "array.array": _tolist,
    "_io._IOBase": _unfit,  # an iterator over its lines
    "numpy.generic": _scalar,
    "numpy.ndarray": _array,
    "numpy.dtype": str,
    "pandas.ExtensionDtype": str,
    "pandas.DataFrame": _pandas_frame,
    "pandas.Series": _pandas_series,
    "pandas.Index": _tolist,
    "pandas.ExtensionArray": _tolist,
    "pandas.NaTType": _null,
    "pandas.NAType": _null,
    "pandas.Period": str,
    "pandas.Interval": str,
    "polars.DataFrame": lambda value: value.to_dicts(),
    "polars.Series": lambda value: value.to_list(),
    "pyarrow.Table": lambda value: value.to_pylist(),
    "pyarrow.RecordBatch": lambda value: value.to_pylist(),
}

_BY_MEMBER = (
    ("__dataclass_fields__", _dataclass),
    ("model_dump", _pydantic),
    ("__attrs_attrs__", _attrs),
    ("__struct_fields__", _struct),  # msgspec
    ("__next__", iter),  # generators, map, filter, zip and every other iterator
)

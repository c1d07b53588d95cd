import type { ConversionCase } from "./programs.ts";

const imports = [
  "import array, collections, dataclasses, datetime, decimal, enum, fractions, ipaddress, pathlib, types, uuid",
  "from typing import NamedTuple",
  "@dataclasses.dataclass\nclass Point:\n  x: int\n  at: datetime.date",
  "class Color(enum.Enum):\n  RED = 'red'",
  "class Level(enum.IntEnum):\n  HIGH = 3",
  "class Pair(NamedTuple):\n  a: int\n  b: str",
].join("\n");

/** Values of Python that are not JSON, and what becomes of them in a result and as an argument. */
export const pythonConversions: readonly ConversionCase[] = (
  [
    ["Point(1, datetime.date(2026, 3, 4))", '{"x":1,"at":"2026-03-04"}', ["$ Point", "$.at date"]],
    ["Pair(1, 'x')", '[1,"x"]', []],
    ["Color.RED", '"red"', ["$ Color"]],
    ["[Level.HIGH, {Level.HIGH: 1}]", '[3,{"3":1}]', ["$[0] Level", '$[1]["3"] key of type Level']],
    ["datetime.date(2026, 1, 2)", '"2026-01-02"', ["$ date"]],
    [
      "datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.timezone.utc)",
      '"2026-01-02T03:04:05.000006+00:00"',
      ["$ datetime"],
    ],
    ["datetime.time(3, 4)", '"03:04:00"', ["$ time"]],
    [
      "datetime.timedelta(days=1, seconds=7205, microseconds=500000)",
      '"P1DT2H5.5S"',
      ["$ timedelta"],
    ],
    ["-datetime.timedelta(hours=3)", '"-PT3H"', ["$ timedelta"]],
    ["datetime.timedelta(0)", '"PT0S"', ["$ timedelta"]],
    ["uuid.UUID(int=1)", '"00000000-0000-0000-0000-000000000001"', ["$ UUID"]],
    ["[pathlib.PurePosixPath('/a/b')]", '["/a/b"]', ["$[0] PurePosixPath"]],
    ["{'price': decimal.Decimal('1.10')}", '{"price":"1.10"}', ["$.price Decimal"]],
    ["fractions.Fraction(1, 3)", '"1/3"', ["$ Fraction"]],
    ["1 + 2j", '"(1+2j)"', ["$ complex"]],
    ["ipaddress.ip_address('127.0.0.1')", '"127.0.0.1"', ["$ IPv4Address"]],
    ["{3, 1, 2}", "[1,2,3]", ["$ set"]],
    ["frozenset('b')", '["b"]', ["$ frozenset"]],
    ["[b'ab', bytearray(b'c')]", '["YWI=","Yw=="]', ["$[0] bytes", "$[1] bytearray"]],
    [
      "{1: 'a', None: 'b', 2.5: 'c', False: 'd'}",
      '{"1":"a","null":"b","2.5":"c","false":"d"}',
      [
        '$["1"] key of type int',
        "$.null key of type NoneType",
        '$["2.5"] key of type float',
        "$.false key of type bool",
      ],
    ],
    ["{datetime.date(2026, 1, 2): 1}", '{"2026-01-02":1}', ['$["2026-01-02"] key of type date']],
    ["(n * n for n in range(3))", "[0,1,4]", ["$ generator"]],
    ["map(str, [1, 2])", '["1","2"]', ["$ map"]],
    ["filter(None, [0, 1])", "[1]", ["$ filter"]],
    ["zip('ab', [1, 2])", '[["a",1],["b",2]]', ["$ zip"]],
    ["range(3)", "[0,1,2]", ["$ range"]],
    ["{'a': 1}.keys()", '["a"]', ["$ dict_keys"]],
    ["[{'a': 1}.items()]", '[[["a",1]]]', ["$[0] dict_items"]],
    ["collections.deque([1, 2])", "[1,2]", ["$ deque"]],
    ["collections.Counter('aab')", '{"a":2,"b":1}', []],
    ["collections.ChainMap({'a': 1})", '{"a":1}', ["$ ChainMap"]],
    ["types.SimpleNamespace(a=1)", '{"a":1}', ["$ SimpleNamespace"]],
    ["array.array('i', [1])", "[1]", ["$ array"]],
    ["ValueError('no')", '{"name":"ValueError","message":"no"}', ["$ ValueError"]],
  ] as const
).map(([value, json, converted]) => ({ imports, value, json, converted }));

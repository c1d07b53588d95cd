import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { pythonWith } from "../support/python-packages.ts";

const packages = [
  "numpy==2.2.6",
  "pandas==2.3.3",
  "polars==1.35.2",
  "pydantic==2.12.4",
  "attrs==25.4.0",
];
const { missing, python } = await pythonWith("data-packages", [...packages, "msgspec==0.20.0"]);
const guest = fileURLToPath(new URL("../../src/sandbox/cpython/guest", import.meta.url));

// The table's own file, outside of a guest: packages are looked up by name and not imported by it.
const script = `
import sys, json
sys.path.insert(0, ${JSON.stringify(guest)})
from values import NotJson, arguments_to_json, result_to_json
import datetime, attrs, msgspec, numpy as np, pandas as pd, polars as pl, pydantic
class Model(pydantic.BaseModel):
  x: int
  at: datetime.date
@attrs.define
class Attrs:
  x: int = 1
class Struct(msgspec.Struct):
  x: int
df = pd.DataFrame({"a": [1, 2], "b": ["x", None], "t": pd.to_datetime(["2026-01-01", None])})
def given(code):
  try:
    text, conversions = result_to_json(eval(code), 1 << 20)
    return [text, [" ".join(each) for each in conversions]]
  except NotJson as error:
    return [None, [str(error)]]
print(json.dumps([given(code) for code in json.load(sys.stdin)]))
`;

const rows: readonly (readonly [string, string | null, readonly string[]])[] = [
  ["np.int64(3)", "3", ["$ int64"]],
  ["[np.float32(1.5), np.float64(0.1)]", "[1.5,0.1]", ["$[0] float32", "$[1] float64"]],
  ["np.float64('nan')", "null", ["$ float64", "$ nan"]],
  ["np.bool_(True)", "true", ["$ bool"]],
  ["np.array([[1, 2], [3, 4]])", "[[1,2],[3,4]]", ["$ ndarray"]],
  ["np.array([1.5, np.nan])", "[1.5,null]", ["$ ndarray", "$[1] nan"]],
  [
    "np.datetime64('2026-01-01T00:00:00.000000001')",
    '"2026-01-01T00:00:00.000000001"',
    ["$ datetime64"],
  ],
  ["np.array(['2026-01-01', 'NaT'], dtype='M8[D]')", '["2026-01-01",null]', ["$ ndarray"]],
  ["np.timedelta64(90, 's')", '"PT1M30S"', ["$ timedelta64", "$ timedelta"]],
  ["{np.int64(1): 2}", '{"1":2}', ['$["1"] key of type int64']],
  [
    "df",
    '[{"a":1,"b":"x","t":"2026-01-01T00:00:00"},{"a":2,"b":null,"t":null}]',
    ["$ DataFrame", "$[0].t Timestamp", "$[1].t NaTType"],
  ],
  ["df.a", "[1,2]", ["$ Series"]],
  ["df[df.a > 1].a", "[2]", ["$ Series"]],
  ["df.a.value_counts().rename_axis(None).set_axis(['x', 'y'])", '{"x":1,"y":1}', ["$ Series"]],
  [
    "df.groupby('a')[['a']].count().rename(columns={'a': 'n'})",
    '[{"a":1,"n":1},{"a":2,"n":1}]',
    ["$ DataFrame"],
  ],
  ["df.a.sum()", "3", ["$ int64"]],
  ["pd.Timestamp('2026-01-01', tz='UTC')", '"2026-01-01T00:00:00+00:00"', ["$ Timestamp"]],
  ["[pd.NaT, pd.NA]", "[null,null]", ["$[0] NaTType", "$[1] NAType"]],
  ["pd.Timedelta('1h') + pd.Timedelta(1)", '"PT1H0.000000001S"', ["$ Timedelta"]],
  ["df.index", "[0,1]", ["$ RangeIndex"]],
  ["pd.array([1, None], dtype='Int64')", "[1,null]", ["$ IntegerArray", "$[1] NAType"]],
  ["df.groupby('a')", null, ["$: DataFrameGroupBy is not a JSON value"]],
  [
    "pl.DataFrame({'a': [1], 'd': [datetime.date(2026, 1, 1)]})",
    '[{"a":1,"d":"2026-01-01"}]',
    ["$ DataFrame", "$[0].d date"],
  ],
  ["pl.Series([1, None])", "[1,null]", ["$ Series"]],
  [
    "{'m': Model(x=1, at=datetime.date(2026, 1, 1))}",
    '{"m":{"x":1,"at":"2026-01-01"}}',
    ["$.m Model"],
  ],
  ["[Attrs()]", '[{"x":1}]', ["$[0] Attrs"]],
  ["Struct(1)", '{"x":1}', ["$ Struct"]],
];

describe.skipIf(missing)("values of packages", () => {
  const input = JSON.stringify(rows.map(([code]) => code));
  const given = JSON.parse(execFileSync(python, ["-c", script], { input, encoding: "utf8" }));

  it.each(rows.map((row, index) => [...row, index] as const))(
    "gives for %s %s",
    (_code, json, conversions, index) => {
      const [text, places] = given[index] as [string | null, string[]];
      expect(text).toBe(json);
      expect(places).toEqual(conversions);
    },
  );
});

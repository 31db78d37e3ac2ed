import assert from "node:assert/strict";
import { test } from "node:test";
import { reasonAgainst, ruleInWords, textOf, typedValue } from "../src/card/rules.ts";
import type { Field } from "../src/city/api.ts";
import type { App } from "../src/page/app.ts";
import { type Word, word } from "../src/words/i18n.ts";

function field(kind: Field["kind"], more: Partial<Field> = {}): Field {
  return {
    name: "x",
    title: { zh: "某", en: "x" },
    kind,
    unit: null,
    book: null,
    filter: false,
    edit: true,
    required: false,
    minimum: null,
    maximum: null,
    maxLength: 5,
    ...more,
  };
}

const bounded = field("number", { minimum: 0, maximum: 360, unit: "°" });
const CASES: [Field, string, string | null][] = [
  [field("text", { required: true }), "  ", "a value is needed"],
  [field("text"), "", null],
  [field("text"), "123456", "is longer than 5 characters"],
  [bounded, "361", "is above 360 °"],
  [bounded, "-1", "is below 0 °"],
  [bounded, "north", "must be a number"],
  [bounded, "1e999", "must be a number"],
  [bounded, "12.5", null],
  [field("integer"), "12.5", "must be a whole number"],
  [field("integer"), "9007199254740993", "must be a whole number"],
  [field("date"), "2026-07-01", null],
  [field("date"), "2026-02-30", "must be a date such as 2026-07-01"],
  [field("date"), "1899-12-31", "lies before 1900 or in the future"],
  [field("date"), "2026-11-23", null],
  [field("date"), "2026-11-24", "lies before 1900 or in the future"],
  [field("time"), "2026-07-01T08:00", null],
  [field("time"), "morning", "must be a time such as 2026-07-01T08:00:00+08:00"],
  [field("boolean"), "true", null],
  [field("boolean"), "perhaps", "must be true or false"],
];

for (const [of, text, reason] of CASES) {
  test(`${of.kind} ${JSON.stringify(text)}: ${reason ?? "fits"}`, () => {
    assert.equal(reasonAgainst(of, typedValue(of, text), "2026-11-22"), reason);
  });
}

test("every reason has words in both languages", () => {
  const said = (lang: "zh" | "en") =>
    ({ t: (name: Word, values?: Record<string, string>) => word(lang, name, values) }) as unknown as App;
  for (const [, , reason] of CASES) {
    if (reason === null) continue;
    assert.match(ruleInWords(said("zh"), reason), /[一-鿿]/);
    assert.ok(ruleInWords(said("en"), reason).length > 5);
  }
  assert.equal(ruleInWords(said("zh"), "is above 360 °"), "高于 360 °");
  assert.equal(ruleInWords(said("zh"), "'x' is not in the code book 'state'"), "“x”不在代码表中");
  assert.equal(ruleInWords(said("zh"), "something new"), "something new");
});

test("a time is shown and typed as the clocks of the city have it", () => {
  const time = field("time");
  assert.equal(textOf(time, "2026-07-01T00:30:00Z"), "2026-07-01T08:30");
  assert.equal(typedValue(time, "2026-07-01T08:30"), "2026-07-01T08:30+08:00");
});

test("what is shown and not touched is read back as it was", () => {
  for (const [of, value] of [
    [field("number"), 1.5],
    [field("integer"), 0],
    [field("boolean"), false],
    [field("text"), "甲"],
    [field("date"), "2026-07-01"],
    [field("text"), null],
  ] as const)
    assert.equal(typedValue(of, textOf(of, value)), value);
});

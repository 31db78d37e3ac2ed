import assert from "node:assert/strict";
import { test } from "node:test";
import { dateOf } from "../src/city/span.ts";
import { clauseOf, daysOf, endOf, indexOf, periodText, startOf, unitFor } from "../src/tools/period.ts";

test("periods are counted from the one that holds the first date", () => {
  assert.equal(indexOf("day", "2024-02-27", "2024-03-01"), 3);
  assert.equal(indexOf("month", "2023-11-30", "2024-02-01"), 3);
  assert.equal(indexOf("year", "2008-07-15", "2026-03-29"), 18);
});

test("a period begins and ends where calendars say", () => {
  assert.equal(startOf("month", "2023-11-30", 3), "2024-02-01");
  assert.equal(endOf("month", "2023-11-30", 3), "2024-02-29");
  assert.equal(endOf("month", "2023-11-30", 1), "2023-12-31");
  assert.equal(startOf("year", "2008-07-15", 2), "2010-01-01");
  assert.equal(endOf("year", "2008-07-15", 2), "2010-12-31");
  assert.equal(startOf("day", "2024-02-28", 1), "2024-02-29");
  assert.equal(endOf("day", "2024-02-28", 1), "2024-02-29");
});

test("steps fit the span", () => {
  assert.equal(unitFor(["2008-07-15", "2026-03-29"]), "year");
  assert.equal(unitFor(["2024-01-01", "2026-03-29"]), "month");
  assert.equal(unitFor(["2026-03-01", "2026-03-29"]), "day");
  assert.equal(periodText("month", "2024-02-01"), "2024-02");
});

test("moments are of the city's days", () => {
  assert.deepEqual(clauseOf({ moment: true }, "2024-02-01", "2024-02-29"), {
    from: "2024-02-01T00:00:00+08:00",
    to: "2024-02-29T23:59:59.999+08:00",
  });
  assert.deepEqual(clauseOf({ moment: false }, null, "2024-02-29"), { to: "2024-02-29" });
  assert.equal(clauseOf({ moment: false }, null, null), null);
  assert.equal(dateOf("2026-11-21T17:00:00Z"), "2026-11-22");
  assert.equal(dateOf("2026-11-21"), "2026-11-21");
});

test("a clause is read back as days; one that is no period is none", () => {
  assert.deepEqual(daysOf({ from: "2024-02-01T00:00:00+08:00" }), { from: "2024-02-01", to: null });
  assert.equal(daysOf({ in: ["1"] }), null);
  assert.equal(daysOf({ starts: "320" }), null);
  assert.equal(daysOf(undefined), null);
});

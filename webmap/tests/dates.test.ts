import assert from "node:assert/strict";
import { test } from "node:test";
import { day, dayOfYear, moment, second, timeOfDay } from "../src/words/format.ts";

const WHEN = "2026-11-22T02:46:05Z";

test("moments are told in the time of the city and as each language writes them", () => {
  assert.equal(moment("zh", WHEN), "2026-11-22 10:46");
  assert.equal(moment("en", WHEN), "22 Nov 2026, 10:46");
  assert.equal(second("zh", WHEN), "2026-11-22 10:46:05");
  assert.equal(second("en", WHEN), "22 Nov 2026, 10:46:05");
  assert.equal(timeOfDay(WHEN), "10:46");
});

test("days are told as each language writes them, and what is none stays as it is", () => {
  assert.equal(day("zh", "2026-06-30"), "2026-06-30");
  assert.equal(day("en", "2026-06-30"), "30 Jun 2026");
  assert.equal(dayOfYear("zh", WHEN), "11-22");
  assert.equal(dayOfYear("en", WHEN), "22 Nov");
  for (const none of ["soon", "2026-13-45", ""]) {
    assert.equal(day("en", none), none);
    assert.equal(moment("en", none), none);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { daysOf, spanOf } from "../src/cases/days.ts";
import { asked, isLate } from "../src/cases/needlist.ts";
import { NO_FILTERS, type Place, placeFrom, placeText, TABS, tabsOf } from "../src/cases/place.ts";

const NOW = Date.parse("2026-11-22T18:30:00Z"); // Monday, 2:30, in the city

test("what goes on stands in the order in which it came, what is over the newest first", () => {
  const sought = { kind: "meals", area: "320613" };
  assert.deepEqual(asked({ ...sought, state: "going" }), { states: ["open", "arranged"], newest: false, ...sought });
  assert.deepEqual(asked({ ...sought, state: "done" }), { states: ["done"], newest: true, ...sought });
  assert.equal(asked({ ...sought, state: "open" }).newest, false);
});

test("a need is late when its wished time is over and nobody has arranged it", () => {
  const [before, after] = ["2026-11-22T18:00:00Z", "2026-11-22T19:00:00Z"];
  assert.equal(isLate({ state: "open", wish_at: before }, NOW), true);
  assert.equal(isLate({ state: "open", wish_at: after }, NOW), false);
  assert.equal(isLate({ state: "open", wish_at: null }, NOW), false);
  assert.equal(isLate({ state: "arranged", wish_at: before }, NOW), false);
});

test("a period goes from a midnight of the city to the one after its last day", () => {
  assert.deepEqual(spanOf(daysOf("lastWeek", NOW)), {
    start: "2026-11-15T16:00:00.000Z",
    end: "2026-11-22T16:00:00.000Z",
  });
});

test("the address of the page keeps the open need, and nonsense is left out", () => {
  const place: Place = { tab: "needs", filters: NO_FILTERS, beside: { kind: "need", id: 17 } };
  assert.deepEqual(placeFrom(`#${placeText(place)}&lang=en`), place);
  for (const wrong of ["0", "-1", "1e9", "x", "1".repeat(20)]) assert.equal(placeFrom(`#need=${wrong}`).beside, null);
});

test("only those who see needs or visits have their tab, and it is the last", () => {
  assert.equal(TABS.at(-1), "needs");
  assert.equal(tabsOf({ rights: ["incident.view"] }).includes("needs"), false);
  for (const right of ["need.take", "need.report", "visit.view"])
    assert.deepEqual(tabsOf({ rights: [right] }), [...TABS]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, NOTHING_ANSWERED, nextOf, questionsOf, toldOf } from "../src/cases/answers.ts";
import { daysOf, weekOf } from "../src/cases/days.ts";
import { pressed } from "../src/cases/keys.ts";
import { called, following, laidOver } from "../src/cases/waiting.ts";
import type { Due } from "../src/city/callbacks.ts";

const due = (caller: number, tries = 0): Due => ({
  caller,
  incident: `2026112300000${caller}`,
  title: "路灯",
  lead: null,
  line: "12345",
  done_at: "2026-11-23T00:00:00Z",
  name: null,
  phone: "139****0001",
  tries,
});
const numbers = (list: readonly Due[]): number[] => list.map(({ caller }) => caller);

test("only who was called back and reached is asked whether it is solved and they are satisfied", () => {
  assert.deepEqual(questionsOf("callback", NOTHING_ANSWERED), ["reached"]);
  const reached = answered(NOTHING_ANSWERED, "reached", true);
  assert.deepEqual(questionsOf("callback", reached), ["reached", "solved", "satisfied"]);
  assert.deepEqual(questionsOf("contact", reached), ["reached"]);
  assert.equal(nextOf("callback", reached), "solved");
  assert.equal(toldOf("callback", reached, ""), null);
  const all = answered(answered(reached, "solved", true), "satisfied", false);
  assert.equal(nextOf("callback", all), null);
  assert.deepEqual(toldOf("callback", all, " 太慢 "), {
    kind: "callback",
    reached: true,
    solved: true,
    satisfied: false,
    text: "太慢",
  });
  assert.deepEqual(toldOf("contact", reached, ""), { kind: "contact", reached: true });
});

test("who was not reached answered nothing, whatever was marked before", () => {
  const marked = answered(answered(NOTHING_ANSWERED, "reached", true), "solved", true);
  const gone = answered(marked, "reached", false);
  assert.deepEqual(toldOf("callback", gone, "  "), { kind: "callback", reached: false });
});

test("the list follows the city, and who is being called stays", () => {
  const shown = [due(1), due(2), due(3)];
  assert.deepEqual(numbers(laidOver(shown, [due(2, 1), due(4)], { wholly: true, now: null })), [2, 4]);
  assert.deepEqual(numbers(laidOver(shown, [due(2, 1), due(4)], { wholly: true, now: 1 })), [1, 2, 4]);
  // What lies behind the first page is not missed there.
  assert.deepEqual(numbers(laidOver(shown, [due(2), due(3)], { wholly: false, now: null })), [2, 3]);
  assert.deepEqual(numbers(laidOver(shown, [due(1), due(2)], { wholly: false, now: null })), [1, 2, 3]);
  assert.equal(laidOver(shown, [due(2, 1)], { wholly: true, now: null })[0]?.tries, 1);
});

test("after a call one goes on to the next, and nobody is tried more often than the city wants", () => {
  const shown = [due(1), due(2, 2), due(3)];
  assert.deepEqual(numbers(called(shown, 1, { reached: true, attempts: 3 })), [2, 3]);
  assert.deepEqual(numbers(called(shown, 2, { reached: false, attempts: 3 })), [1, 3]);
  assert.equal(called(shown, 1, { reached: false, attempts: 3 })[0]?.tries, 1);
  assert.equal(following(shown, 1), 2);
  assert.equal(following(shown, 3), 1);
  assert.equal(following([due(1)], 1), null);
});

test("periods are whole days of the city, also when it is still yesterday in Greenwich", () => {
  const now = Date.parse("2026-11-22T18:30:00Z"); // Monday, 2:30, in the city
  assert.deepEqual(daysOf("week", now), { from: "2026-11-23", to: "2026-11-23" });
  assert.deepEqual(daysOf("lastWeek", now), { from: "2026-11-16", to: "2026-11-22" });
  assert.deepEqual(daysOf("month", now), { from: "2026-11-01", to: "2026-11-23" });
  assert.deepEqual(daysOf("thirty", now), { from: "2026-10-25", to: "2026-11-23" });
});

test("weeks are those of the calendar, across years", () => {
  assert.equal(weekOf(Date.parse("2026-11-22T18:30:00Z")), "2026-W48");
  assert.equal(weekOf(Date.parse("2026-11-22T12:00:00Z")), "2026-W47");
  assert.equal(weekOf(Date.parse("2026-12-31T12:00:00Z")), "2026-W53");
  assert.equal(weekOf(Date.parse("2027-01-03T12:00:00Z")), "2026-W53");
  assert.equal(weekOf(Date.parse("2027-01-05T12:00:00Z"), -1), "2026-W53");
  assert.equal(weekOf(Date.parse("2027-01-05T12:00:00Z")), "2027-W01");
});

test("a seventh key opens the call-backs", () => {
  const key = { key: "7", ctrlKey: false, altKey: false, metaKey: false, shiftKey: false };
  assert.deepEqual(pressed(key), { act: "tab7" });
});

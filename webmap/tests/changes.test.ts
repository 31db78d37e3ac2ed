import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsOf, metresBetween, sidesOf } from "../src/card/changes.ts";
import type { Item, Version } from "../src/city/api.ts";

const point = (lon: number) => ({ type: "Point" as const, coordinates: [lon, 32] });
const delivery = { id: 8, title: "components.csv", source: "bureau" };

function version(from: string, to: string, state: string, more: Partial<Version> = {}): Version {
  return {
    from,
    to,
    actor: "clerk",
    delivery: null,
    properties: { state, note: null },
    geometry: point(120.9),
    ...more,
  };
}

function now(from: string, state: string, lon = 120.9): Item {
  const context = { changedAt: from, changedBy: "admin", delivery: null };
  return { type: "Feature", properties: { state, note: null }, geometry: point(lon), context } as unknown as Item;
}

test("every version tells what it changed, who did it, and the first that it was recorded", () => {
  const versions = [version("t2", "t3", "broken"), version("t1", "t2", "intact", { delivery })];
  const events = eventsOf(now("t3", "lost"), versions, false);
  assert.deepEqual(
    events.map(({ kind, at, actor }) => [kind, at, actor]),
    [
      ["changed", "t3", "admin"],
      ["changed", "t2", "clerk"],
      ["recorded", "t1", "clerk"],
    ],
  );
  assert.deepEqual(events[0]?.changes, [{ name: "state", before: "broken", after: "lost" }]);
  assert.equal(events[2]?.delivery?.title, "components.csv");
});

test("a page that others follow does not take its oldest version for the first", () => {
  const versions = [version("t2", "t3", "broken")];
  assert.deepEqual(
    eventsOf(now("t3", "lost"), versions, true).map(({ at }) => at),
    ["t3"],
  );
});

test("a gap between versions is a record that was retired and came back", () => {
  const versions = [version("t1", "t2", "intact")];
  const kinds = eventsOf(now("t5", "intact"), versions, false).map(({ kind, at }) => `${kind} ${at}`);
  assert.deepEqual(kinds, ["revived t5", "retired t2", "recorded t1"]);
});

test("a record that is gone ends with its retirement", () => {
  const events = eventsOf(null, [version("t1", "t2", "intact")], false);
  assert.deepEqual(
    events.map(({ kind, at }) => `${kind} ${at}`),
    ["retired t2", "recorded t1"],
  );
});

test("a point that moved tells how far", () => {
  const [first] = eventsOf(now("t2", "intact", 120.901), [version("t1", "t2", "intact")], false);
  // On the ellipsoid 0.001° of longitude at 32° north are 94.493 m.
  assert.ok(Math.abs((first?.moved_m ?? 0) - 94.493) < 0.5);
  assert.equal(first?.reshaped, false);
  assert.equal(metresBetween([120, 32], [120, 32]), 0);
});

test("two editors collide only where both chose something, and something else", () => {
  const base = { a: 1, b: 1, c: 1, d: 1 };
  const theirs = { a: 2, b: 2, c: 3, d: 1 };
  assert.deepEqual(sidesOf(base, theirs, { b: 2, c: 4, d: 5 }), { theirs: ["a"], mine: ["d"], both: ["c"] });
});

test("an empty value is a value that one can collide with", () => {
  assert.deepEqual(sidesOf({ a: "x" }, { a: null }, { a: "y" }).both, ["a"]);
  assert.deepEqual(sidesOf({ a: "x" }, { a: "z" }, { a: null }).both, ["a"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { createFreshness } from "../src/city/freshness.ts";

const TILE = { z: 13, x: 6861, y: 3315 };
const BESIDE = { z: 13, x: 6862, y: 3315 };

test("what was asked for before a change is stale, until it is asked for again", () => {
  const freshness = createFreshness();
  freshness.asked(TILE, 13);
  assert.equal(freshness.isStale(TILE, 13), false);
  freshness.changed({ tiles: ["13/6861/3315"] });
  assert.equal(freshness.isStale(TILE, 13), true);
  assert.equal(freshness.isStale(BESIDE, 13), false);
  freshness.asked(TILE, 13);
  assert.equal(freshness.isStale(TILE, 13), false);
});

test("a tile that the map keeps of another zoom is a picture of its own", () => {
  const freshness = createFreshness();
  const deep = { z: 14, x: 13722, y: 6630 };
  for (const zoom of [15, 16]) freshness.asked(deep, zoom);
  freshness.changed({ tiles: ["14/13722/6630"] });
  freshness.asked(deep, 16);
  assert.deepEqual(
    [15, 16].map((zoom) => freshness.isStale(deep, zoom)),
    [true, false],
  );
});

test("what lies under a changed tile is stale, what lies over it is not", () => {
  const freshness = createFreshness();
  freshness.changed({ under: ["8/214/103"] });
  assert.equal(freshness.isStale(TILE, 13), true);
  assert.equal(freshness.isStale({ z: 8, x: 214, y: 103 }, 8), true);
  assert.equal(freshness.isStale({ z: 8, x: 215, y: 103 }, 8), false);
  assert.equal(freshness.isStale({ z: 7, x: 107, y: 51 }, 7), false);
});

test("when all changed, all is stale that was asked for before", () => {
  const freshness = createFreshness();
  freshness.asked(TILE, 13);
  freshness.changed({ all: true });
  freshness.asked(BESIDE, 13);
  assert.equal(freshness.isStale(TILE, 13), true);
  assert.equal(freshness.isStale(BESIDE, 13), false);
});

test("past the number of changes that are remembered, everything counts as changed", () => {
  const freshness = createFreshness(10);
  for (let x = 0; x < 20; x++) freshness.asked({ z: 10, x, y: 0 }, 10);
  freshness.changed({ tiles: Array.from({ length: 11 }, (_, x) => `14/${x}/0`) });
  assert.equal(freshness.isStale({ z: 10, x: 19, y: 0 }, 10), true);
});

test("a tile whose asking is forgotten is asked for once too often, not too seldom", () => {
  const freshness = createFreshness(2);
  freshness.changed({ tiles: ["13/6861/3315"] });
  freshness.asked(TILE, 13);
  freshness.asked(BESIDE, 13);
  freshness.asked({ z: 5, x: 1, y: 1 }, 5);
  assert.equal(freshness.isStale(TILE, 13), true);
  assert.equal(freshness.isStale(BESIDE, 13), false);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { waitMs } from "../src/city/live.ts";

test("each attempt waits longer than the one before, up to half a minute", () => {
  const waits = [0, 1, 2, 3, 6, 20].map((attempt) => waitMs(attempt, 1));
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 30_000, 30_000]);
});

test("clients that lost the same server do not come back at once", () => {
  assert.equal(waitMs(3, 0), 2000);
  assert.equal(waitMs(3, 0.5), 3000);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { steps } from "../src/tools/steps.ts";

/** Runs whose drawing the test settles; `taken` counts their steps. */
function run(most: number) {
  const waiting: (() => void)[] = [];
  const seen = { taken: 0, waiting, changes: 0 };
  const playing = steps({
    step: () => {
      if (seen.taken === most) return false;
      seen.taken += 1;
      return true;
    },
    drawn: (then) => void waiting.push(then),
    changed: () => {
      seen.changes += 1;
    },
    pause_ms: 900,
  });
  const draw = () => {
    for (const then of waiting.splice(0)) then();
  };
  return { playing, seen, draw };
}

test("who pauses while a step is drawn and starts again has one run, at the same speed", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { playing, seen, draw } = run(100);
  playing.start();
  t.mock.timers.tick(900);
  assert.equal(seen.taken, 1);
  playing.stop();
  assert.equal(playing.running(), false);
  playing.start();
  draw(); // what the first run waited for
  t.mock.timers.tick(900);
  assert.equal(seen.taken, 2);
  draw();
  t.mock.timers.tick(900);
  assert.equal(seen.taken, 3);
});

test("a step waits for the one before to be drawn and for its time, and the last one ends the run", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { playing, seen, draw } = run(1);
  playing.start();
  t.mock.timers.tick(899);
  assert.equal(seen.taken, 0);
  t.mock.timers.tick(1);
  t.mock.timers.tick(9000);
  assert.equal(seen.taken, 1);
  assert.equal(playing.running(), true);
  draw();
  t.mock.timers.tick(900);
  assert.equal(playing.running(), false);
  assert.equal(seen.changes, 2);
});

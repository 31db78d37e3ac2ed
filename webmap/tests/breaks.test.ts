import assert from "node:assert/strict";
import { test } from "node:test";
import { boundsIn } from "../src/desk/shades.ts";
import { classOf, edgesOf, legible, naturalBreaks, quantiles } from "../src/map/breaks.ts";

const squares = (values: readonly number[]): number => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
};

/** The least sum of squares over every way to cut a rising list, tried one by one. */
function leastByTrying(rising: readonly number[], classes: number): number {
  if (classes === 1 || rising.length <= 1) return rising.length === 0 ? 0 : squares(rising);
  let least = squares(rising);
  for (let cut = 1; cut < rising.length; cut++)
    least = Math.min(least, squares(rising.slice(0, cut)) + leastByTrying(rising.slice(cut), classes - 1));
  return least;
}

function groupsOf(values: readonly number[], edges: readonly number[]): number[][] {
  const groups: number[][] = Array.from({ length: Math.max(1, edges.length - 1) }, () => []);
  for (const value of values) groups[classOf(edges, value)]?.push(value);
  return groups;
}

test("quantiles have the edges that NumPy has: between two values in proportion", () => {
  const edges = quantiles([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 5).map((edge) => Number(edge.toFixed(9)));
  assert.deepEqual(edges, [1, 2.8, 4.6, 6.4, 8.2, 10]);
  assert.deepEqual(quantiles([0, 10], 4), [0, 2.5, 5, 7.5, 10]);
});

test("equal values stay in one class, so that fewer classes are left", () => {
  assert.deepEqual(quantiles([1, 1, 1, 1, 1, 1, 1, 9], 4), [1, 9]);
  assert.deepEqual(edgesOf([3, 3, 3], "quantile"), [3]);
  assert.equal(classOf([3], 3), 0);
});

test("an upper edge belongs to its class, and so does the least value of all", () => {
  const edges = [1, 2.8, 4.6];
  assert.deepEqual(
    [1, 2, 2.8, 2.9, 4.6, 99].map((value) => classOf(edges, value)),
    [0, 0, 0, 1, 1, 1],
  );
});

// By hand: {1, 2, 3}, {10, 11, 12}, {50} cost 2 + 2 + 0; every other cut into three costs more.
test("natural breaks cut where the gaps are", () => {
  assert.deepEqual(naturalBreaks([1, 2, 3, 10, 11, 12, 50], 3), [1, 3, 12, 50]);
  assert.deepEqual(naturalBreaks([4, 4, 4, 9], 2), [4, 4, 9]);
  assert.deepEqual(naturalBreaks([7, 8], 5), [7, 7, 8]);
});

test("natural breaks are the best there are, as trying every cut shows", () => {
  let seed = 7;
  const random = () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
  for (let turn = 0; turn < 30; turn++) {
    const values = Array.from({ length: 6 + (turn % 9) }, () => Math.round(random() ** 3 * 200)).sort((a, b) => a - b);
    const classes = 2 + (turn % 4);
    const groups = groupsOf(values, naturalBreaks(values, classes));
    const cost = groups.reduce((sum, group) => sum + (group.length === 0 ? 0 : squares(group)), 0);
    assert.ok(Math.abs(cost - leastByTrying(values, classes)) < 1e-6, `${values} in ${classes}`);
  }
});

test("natural breaks of a city's grids take no time", () => {
  const values = Array.from({ length: 8470 }, (_, at) => (at * 7919) % 8461).sort((a, b) => a - b);
  const began = performance.now();
  const edges = naturalBreaks(values, 5);
  assert.ok(performance.now() - began < 1000);
  assert.equal(edges.length, 6);
});

test("between two classes stands the shortest number that parts them", () => {
  assert.deepEqual(legible([1.234, 4.567, 9.876], [1.234, 4.567, 4.9, 9.876]), [1.2, 4.6, 9.9]);
  assert.deepEqual(legible([0.0181, 33.3, 1012], [0.0181, 33.3, 47, 1012]), [0.018, 40, 1100]);
});

test("short edges leave all but one value in two hundred where they were", () => {
  const values = Array.from({ length: 1000 }, (_, at) => 1.37 ** (at / 60) + at / 977);
  const exact = quantiles(values, 5);
  const short = legible(exact, values);
  const moved = values.filter((value) => classOf(exact, value) !== classOf(short, value));
  assert.ok(moved.length <= (4 * values.length) / 200, `${moved.length} moved`);
  assert.ok(short.every((edge) => String(edge).length <= 5));
});

test("bounds put by hand stay, with everything beyond them in the outer classes", () => {
  const edges = edgesOf([1, 60, 7000], [10, 50]);
  assert.deepEqual(edges, [Number.NEGATIVE_INFINITY, 10, 50, Number.POSITIVE_INFINITY]);
  assert.deepEqual(
    [1, 10, 11, 60, 7000].map((value) => classOf(edges, value)),
    [0, 0, 1, 2, 2],
  );
});

test("bounds are read as people write them, and refused when they do not rise", () => {
  assert.deepEqual(boundsIn("1，10、 50"), [1, 10, 50]);
  assert.equal(boundsIn("10, 5"), null);
  assert.equal(boundsIn("ten"), null);
  assert.equal(boundsIn(""), null);
  assert.equal(boundsIn("1 2 3 4 5 6 7 8 9"), null);
});

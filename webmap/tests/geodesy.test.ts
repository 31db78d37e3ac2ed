import assert from "node:assert/strict";
import { test } from "node:test";
import type { LonLat } from "../src/city/api.ts";
import { area_m2, circle, distance_m, length_m } from "../src/tools/geodesy.ts";

// By PROJ (pyproj 3.7.2, Geod(ellps="WGS84")).
const DISTANCES: [LonLat, LonLat, number][] = [
  [[120.89, 31.98], [120.95, 32.01], 6573.735516179626],
  [[120.2, 31.7], [121.9, 32.6], 188888.8500951777],
  [[120.89, 31.98], [120.8901, 31.98], 9.451364754455252],
  [[116.39, 39.9], [121.47, 31.23], 1066004.7245418401],
]; // biome-ignore format: a table
const AREAS: [LonLat[], number][] = [
  [
    [
      [120.8, 31.9],
      [121.0, 31.9],
      [121.0, 32.1],
      [120.8, 32.1],
    ],
    419121575.43507385,
  ],
  [
    [
      [120.89, 31.98],
      [120.8912, 31.9801],
      [120.8909, 31.9812],
      [120.8896, 31.981],
    ],
    14305.500910192728,
  ],
  [
    [
      [120.2, 31.65],
      [121.2, 31.7],
      [121.3, 32.6],
      [120.6, 32.3],
      [120.3, 32.65],
    ],
    8190564164.203529,
  ],
];

for (const [from, to, expected] of DISTANCES) {
  test(`${from} to ${to} is as far as PROJ says, to a millimetre`, () => {
    assert.ok(Math.abs(distance_m(from, to) - expected) < 0.001);
    assert.ok(Math.abs(distance_m(to, from) - expected) < 0.001);
  });
}

for (const [ring, expected] of AREAS) {
  test(`an area of ${Math.round(expected)} m² is as large as PROJ says, to a thousandth`, () => {
    assert.ok(Math.abs(area_m2(ring) / expected - 1) < 0.001, `${area_m2(ring)}`);
    assert.equal(area_m2([...ring, ring[0] as LonLat]).toFixed(3), area_m2(ring).toFixed(3));
    assert.equal(area_m2([...ring].reverse()).toFixed(3), area_m2(ring).toFixed(3));
  });
}

test("a line is as long as its parts, and a point has no length", () => {
  const [a, b, c] = [
    [120.8, 31.9],
    [120.9, 31.9],
    [120.9, 32],
  ] as [LonLat, LonLat, LonLat];
  assert.equal(length_m([a, b, c]), distance_m(a, b) + distance_m(b, c));
  assert.equal(length_m([a]), 0);
  assert.equal(distance_m(a, a), 0);
});

test("points that Vincenty's formula cannot tell apart are measured on a sphere", () => {
  assert.ok(Math.abs(distance_m([0, 0], [179.9, 0]) / 20_004_000 - 1) < 0.01);
});

for (const radius_m of [5, 500, 20_000]) {
  test(`every point of a circle of ${radius_m} m is that far from its middle, to a thousandth`, () => {
    const middle: LonLat = [120.89, 31.98];
    const ring = circle(middle, radius_m);
    assert.deepEqual(ring[0], ring.at(-1));
    for (const point of ring) assert.ok(Math.abs(distance_m(middle, point) / radius_m - 1) < 0.001);
    assert.ok(Math.abs(area_m2(ring) / (Math.PI * radius_m ** 2) - 1) < 0.003);
  });
}

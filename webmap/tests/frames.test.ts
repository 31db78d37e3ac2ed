import assert from "node:assert/strict";
import { test } from "node:test";
import { type Frame, fromFrame, inFrame, meantFor, written } from "../src/city/frames.ts";

/** Vectors of the domain facts, lat and lon as published; tolerance in the unit of the frame. */
const VECTORS: [frame: Frame, lat: number, lon: number, x: number, y: number, tolerance: number][] = [
  ["GCJ-02", 31.1774276, 121.5272106, 121.531541859215, 31.17530398364597, 1e-9],
  ["GCJ-02", 22.543847, 113.912316, 113.9171764808363, 22.540796131694766, 1e-9],
  ["GCJ-02", 39.911954, 116.377817, 116.38404722455657, 39.91334545536069, 1e-9],
  ["GCJ-02", 31.9802, 120.8943, 120.89851566, 31.97803016, 1e-8],
  ["BD-09", 31.9802, 120.8943, 120.9051133, 31.98366908, 1e-8],
  ["GCJ-02", 31.7, 121.9, 121.90414667, 31.69789381, 1e-8],
  ["BD-09", 31.7, 121.9, 121.91059809, 31.70414466, 1e-8],
  ["EPSG:4549", 31.9802, 120.8943, 584524.89, 3540006.265, 1e-3],
  ["EPSG:4549", 31.7, 121.9, 680133.977, 3510156.977, 1e-3],
  ["EPSG:4549", 32.55, 120.22, 520663.462, 3602864.179, 1e-3],
  ["EPSG:4550", 31.9802, 120.8943, 300963.223, 3541594.492, 1e-3],
  ["EPSG:4550", 31.7, 121.9, 395717.641, 3509113.235, 1e-3],
  ["EPSG:4490", 31.9802, 120.8943, 120.8943, 31.9802, 0],
];

for (const [frame, lat, lon, x, y, tolerance] of VECTORS) {
  test(`${lat}, ${lon} stands where it should in ${frame}`, () => {
    const [east, north] = inFrame(frame, lon, lat);
    assert.ok(Math.abs(east - x) <= tolerance, `${east} is not ${x}`);
    assert.ok(Math.abs(north - y) <= tolerance, `${north} is not ${y}`);
  });
}

test("a point outside China is left alone by GCJ-02", () => {
  assert.deepEqual(inFrame("GCJ-02", 2.35, 48.85), [2.35, 48.85]);
});

test("the zone of 120°E is not meant for the east of Qidong, the zone of 123°E is", () => {
  assert.equal(meantFor("EPSG:4549", 121.9), false);
  assert.equal(meantFor("EPSG:4550", 121.9), true);
  assert.equal(meantFor("GCJ-02", 121.9), true);
});

test("degrees are written to a metre, metres to a decimetre", () => {
  assert.equal(written("EPSG:4326", 120.8943, 31.9802), "120.89430, 31.98020");
  assert.equal(written("EPSG:4549", 120.8943, 31.9802), "584524.9, 3540006.3");
});

for (const [frame, lat, lon] of VECTORS) {
  test(`${lat}, ${lon} is found again from its pair in ${frame}`, () => {
    const back = fromFrame(frame, ...inFrame(frame, lon, lat));
    assert.ok(back !== null);
    assert.ok(Math.abs(back[0] - lon) < 1e-9 && Math.abs(back[1] - lat) < 1e-9, String(back));
  });
}

test("a pair that no place has leads nowhere", () => {
  assert.equal(fromFrame("EPSG:4326", 200, 95), null);
  assert.equal(fromFrame("EPSG:4549", Number.NaN, 3_500_000), null);
  assert.equal(fromFrame("EPSG:4549", 1e12, 1e12), null);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { StyleSpecification } from "maplibre-gl";
import { keepOverlays } from "../src/map/overlays.ts";
import { forPaper } from "../src/tools/sheet.ts";

const ORIGIN = "http://127.0.0.1:8000";
const STYLE = {
  version: 8,
  metadata: { any: 1 },
  sources: {
    city: { type: "vector", tiles: [`${ORIGIN}/tiles/road/{z}/{x}/{y}.mvt#3`], promoteId: "id", maxzoom: 14 },
    unused: { type: "vector", tiles: [`${ORIGIN}/tiles/grid/{z}/{x}/{y}.mvt`] },
    base: { type: "raster", tiles: ["https://example.org/{z}/{x}/{y}.png"], tileSize: 256 },
    "td-point": { type: "geojson", data: { type: "FeatureCollection", features: [] } },
  },
  layers: [
    { id: "background", type: "background", paint: {} },
    { id: "base", type: "raster", source: "base" },
    { id: "road", type: "line", source: "city", "source-layer": "road", metadata: { "chengtu:layer": "road" } },
    { id: "grid", type: "line", source: "unused", "source-layer": "grid", layout: { visibility: "none" } },
    { id: "td-point", type: "circle", source: "td-point" },
  ],
} as unknown as StyleSpecification;

test("what goes to the printer is what is visible, by paths of our own", () => {
  const { style, left } = forPaper(STYLE, ORIGIN, null);
  assert.deepEqual(left, ["base"]);
  assert.deepEqual(style.sources, {
    city: { type: "vector", tiles: ["/tiles/road/{z}/{x}/{y}.mvt"], promoteId: "id", maxzoom: 14 },
  });
  assert.deepEqual(style.layers, [
    { id: "background", type: "background", paint: {} },
    { id: "road", type: "line", source: "city", "source-layer": "road" },
  ]);
});

test("tools' sources and layers outlive a new style, and lie on top of it", () => {
  const next = { version: 8, sources: {}, layers: [{ id: "a", type: "background" }] } as StyleSpecification;
  const kept = keepOverlays(STYLE, next);
  assert.deepEqual(Object.keys(kept.sources), ["td-point"]);
  assert.deepEqual(
    kept.layers.map(({ id }) => id),
    ["a", "td-point"],
  );
  assert.equal(keepOverlays(undefined, next), next);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import { hoverLayers } from "../src/map/highlight.ts";
import { clip, distances, type Outline } from "../src/map/shapes.ts";
import { dressed } from "../src/wall/style.ts";

const SQUARE: Outline = [
  [-10, -10],
  [10, -10],
  [10, 10],
  [-10, 10],
];

const SYMBOL = {
  id: "shelter-circle",
  type: "symbol",
  source: "city",
  "source-layer": "shelter",
  layout: { "icon-image": "shape-square", "icon-size": ["interpolate", ["linear"], ["zoom"], 8, 0.2, 18, 1] },
  paint: { "icon-color": "#00ff00", "icon-halo-width": 1 },
  metadata: { "chengtu:layer": "shelter", "chengtu:part": "record" },
} as unknown as LayerSpecification;

test("a shape's picture says how far inside its outline each pixel lies", () => {
  const { width, height, data } = distances(SQUARE);
  assert.equal(width, 36);
  assert.equal(height, 36);
  const at = (x: number, y: number) => data[(y * width + x) * 4 + 3] ?? 0;
  const edge = 0.75 * 255;
  assert.ok(Math.abs(at(7, 18) - (edge - 255 / 16)) <= 1, "half a pixel outside");
  assert.ok(Math.abs(at(8, 18) - (edge + 255 / 16)) <= 1, "half a pixel inside");
  assert.equal(at(18, 18), 255);
  assert.equal(at(0, 0), 0);
});

test("a swatch is cut to the shape that the map draws", () => {
  assert.equal(
    clip([
      [0, -1.5],
      [1.5, 0],
      [0, 0.75],
    ]),
    "polygon(50% 0%,100% 50%,50% 75%)",
  );
});

test("what a panel points at is ringed in its own shape", () => {
  const [ring] = hoverLayers([SYMBOL], { layer: "shelter", column: "status", value: "open" }, { select: "#ffffff" });
  assert.equal(ring?.id, "shelter-circle-hover");
  assert.deepEqual(ring?.layout, SYMBOL.layout);
  assert.deepEqual(ring?.paint, {
    "icon-color": "rgba(0,0,0,0)",
    "icon-halo-color": "#ffffff",
    "icon-halo-width": 2.5,
  });
});

test("a wall keeps the shapes and draws them larger; it leaves out names that it has no room for", () => {
  const name = { ...SYMBOL, id: "shelter-label", metadata: { "chengtu:layer": "shelter", "chengtu:part": "label" } };
  const style = { version: 8, sources: {}, layers: [SYMBOL, name] } as StyleSpecification;
  const [drawn, named] = dressed(style, { han: 48, latin: 60, figure: 120 } as never, 0).layers;
  assert.deepEqual(drawn?.layout, {
    "icon-image": "shape-square",
    "icon-size": ["interpolate", ["linear"], ["zoom"], 8, 0.2 * 2.8, 18, 2.8],
  });
  assert.equal(named?.layout?.visibility, "none");
});

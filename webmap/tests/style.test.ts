import assert from "node:assert/strict";
import { test } from "node:test";
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { Basemap, Bounds, Raster, ServedStyle } from "../src/city/api.ts";
import { compose, type Drawing, densityRanges } from "../src/map/style.ts";
import { NOTHING, sector } from "../src/map/views.ts";
import type { Look } from "../src/page/state.ts";

const part = (layer: string, name: string, more: object): LayerSpecification =>
  ({
    id: `${layer}-${name}`,
    source: "city",
    "source-layer": layer,
    metadata: { "chengtu:layer": layer, "chengtu:part": name },
    ...more,
  }) as LayerSpecification;

const ramp = ["interpolate", ["linear"], ["log10", ["get", "d"]], 0, "#000", 4, "#fff"];
const cells = (layer: string, maxzoom: number) =>
  part(layer, "cells", { type: "fill", maxzoom, paint: { "fill-color": ramp } });

const SERVED = {
  version: 8,
  metadata: { "chengtu:palette": { select: "#ffffff", halo: "#000000", accent: "#00ffff" } },
  sources: { city: { type: "vector", tiles: ["/tiles/a/{z}/{x}/{y}.mvt"], minzoom: 6, maxzoom: 14 } },
  layers: [
    { id: "background", type: "background" },
    part("road", "record", { type: "line" }),
    part("road", "label", { type: "symbol" }),
    cells("video", 14),
    part("video", "record", { type: "circle", minzoom: 14 }),
    cells("component", 13),
    part("component", "record", { type: "circle", minzoom: 13 }),
  ],
} as unknown as ServedStyle;

const NAMED = { zh: "地形", en: "Relief" };
const SPAN = { minzoom: 6, maxzoom: 14, bounds: [120, 31, 122, 33] as Bounds, attribution: NAMED };
const BASE: Basemap = {
  ...SPAN,
  type: "vector",
  tiles: ["/basemap/{z}/{x}/{y}"],
  tileSize: 256,
  vectorLayers: ["water"],
  approval: null,
  frame: "EPSG:3857",
  warning: null,
};
const RELIEF: Raster = {
  ...SPAN,
  name: "relief",
  title: NAMED,
  unit: "m",
  tiles: "/rasters/relief/{z}/{x}/{y}.png",
  about: NAMED,
  legend: [],
  steps: false,
  least: null,
  synthetic: true,
};

const drawing = (more: Partial<Drawing>): Drawing => ({
  served: SERVED,
  faces: {},
  origin: "http://localhost",
  together: ["road", "component"],
  order: ["road", "video", "component"],
  looks: {},
  opacity: {},
  filters: {},
  minzooms: { road: 6, video: 14, component: 13, county: 6, town: 6, grid: 10 },
  perKm2: 10,
  lat: 32,
  shades: 0,
  hovered: null,
  hidden: {},
  classes: { component: "major", video: "status", road: "kind" },
  density: "component",
  selection: NOTHING,
  cell: "",
  views: NOTHING,
  attempt: 0,
  base: null,
  rasters: [],
  dark: true,
  lang: "zh",
  ...more,
});

const layer = (style: StyleSpecification, id: string) => {
  const found = style.layers.find((each) => each.id === id);
  assert.ok(found, id);
  return found as LayerSpecification & { source: string; filter?: unknown; paint: Record<string, unknown> };
};

const ranges = (chosen: string | null, looks: Record<string, Look> = {}, order = ["video", "component"]) =>
  densityRanges({ layers: SERVED.layers, order, chosen, looks });

test("one density is shown at a time: the chosen one, then what still shows cells", () => {
  assert.deepEqual(ranges("component"), [
    { layer: "component", from: 0, to: 13, look: "cells" },
    { layer: "video", from: 13, to: 14, look: "cells" },
  ]);
  assert.deepEqual(ranges("video"), [{ layer: "video", from: 0, to: 14, look: "cells" }]);
  assert.deepEqual(ranges("video", {}, ["road"]), []);
});

test("without a choice the topmost layer's density is shown", () => {
  assert.equal(ranges(null)[0]?.layer, "component");
  assert.equal(ranges(null, {}, ["component", "video"])[0]?.layer, "video");
});

test("layers of the first view share a request, others have their own", () => {
  const style = compose(drawing({}));
  assert.equal(layer(style, "component-record").source, "city");
  assert.equal(layer(style, "video-record").source, "city-video");
  assert.deepEqual((style.sources.city as { tiles: string[] }).tiles, [
    "http://localhost/tiles/road,component/{z}/{x}/{y}.mvt",
  ]);
});

test("what is switched off stays in the style, unseen", () => {
  const style = compose(drawing({ order: ["road"] }));
  assert.equal(layer(style, "component-record").layout?.visibility, "none");
  assert.equal(layer(style, "road-record").layout?.visibility, "visible");
});

test("densities lie under lines and things, and names over all of them", () => {
  const parts = compose(drawing({})).layers.map((each) => each.id);
  const order = ["background", "component-cells", "road-record", "component-record", "road-label", "selection-point"];
  assert.deepEqual(
    order.map((id) => parts.indexOf(id)),
    order.map((id) => parts.indexOf(id)).toSorted((a, b) => a - b),
  );
});

test("a class that is switched off leaves the records and the density", () => {
  const style = compose(drawing({ hidden: { component: ["01"] } }));
  assert.deepEqual(layer(style, "component-record").filter, [
    "!",
    ["in", ["to-string", ["get", "major"]], ["literal", ["01"]]],
  ]);
  const left = ["-", ["get", "n"], ["+", ["coalesce", ["get", "c_01"], 0]]];
  assert.deepEqual(layer(style, "component-cells").filter, [">", left, 0]);
  assert.deepEqual((layer(style, "component-cells").paint["fill-color"] as unknown[])[2], [
    "log10",
    ["/", ["*", ["get", "d"], left], ["get", "n"]],
  ]);
});

test("the cell whose card is open gets an edge in the layer that shows it", () => {
  const style = compose(drawing({ cell: "89309d555c7ffff" }));
  assert.deepEqual(layer(style, "component-cells-edge").filter, ["==", ["get", "id"], "89309d555c7ffff"]);
  assert.equal(layer(style, "component-cells-edge").maxzoom, 13);
});

test("a base map lies under everything and the ground gives way to it", () => {
  const ground = part("county", "ground", { type: "fill" });
  const served = { ...SERVED, layers: [...SERVED.layers.slice(0, 1), ground, ...SERVED.layers.slice(1)] };
  const base = { ...BASE, type: "raster" as const };
  const style = compose(drawing({ served, base, rasters: [RELIEF], order: ["county", "component"] }));
  const order = ["background", "base", "county-ground", "raster-relief", "component-cells", "component-record"];
  const parts = style.layers.map((each) => each.id);
  assert.deepEqual(
    parts.filter((id) => order.includes(id)),
    order,
  );
  assert.equal(layer(style, "county-ground").layout?.visibility, "none");
  const without = compose(drawing({ served, order: ["county"] }));
  assert.equal(layer(without, "county-ground").layout?.visibility, "visible");
});

test("a city without layers has a style all the same", () => {
  const served = { ...SERVED, sources: {}, layers: [{ id: "background", type: "background" }] } as ServedStyle;
  assert.deepEqual(Object.keys(compose(drawing({ served })).sources), ["selection", "views"]);
});

test("a camera looking north sees a sector north of it", () => {
  const { geometry } = sector({ lon: 120, lat: 32, heading_deg: 0, hfov_deg: 60, range_m: 100 });
  const ring = geometry.coordinates[0] ?? [];
  assert.deepEqual(ring[0], ring.at(-1));
  const north = Math.max(...ring.map(([, lat = 0]) => lat));
  assert.ok(Math.abs((north - 32) * 111_320 - 100) < 0.5);
  assert.ok(ring.every(([, lat = 0]) => lat >= 32));
});

test("a camera that looks all round sees a disc without a notch", () => {
  const { geometry } = sector({ lon: 120, lat: 32, heading_deg: 10, hfov_deg: 360, range_m: 50 });
  assert.ok((geometry.coordinates[0] ?? []).every(([lon, lat]) => lon !== 120 || lat !== 32));
});

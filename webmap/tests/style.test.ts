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
  traced: NOTHING,
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

test("without a choice only a look brings a density", () => {
  assert.deepEqual(ranges(null), []);
  assert.equal(ranges(null, { component: "cells" })[0]?.layer, "component");
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
  assert.deepEqual(Object.keys(compose(drawing({ served })).sources), ["selection", "views", "traced"]);
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

test("a layer whose records must meet conditions has a source of its own, with the filter in its URL", () => {
  const style = compose(drawing({ filters: { component: "state IN ('broken')" } }));
  assert.equal(layer(style, "component-record").source, "city-component");
  assert.equal(layer(style, "component-cells").source, "city-component");
  assert.deepEqual((style.sources["city-component"] as { tiles: string[] }).tiles, [
    "http://localhost/tiles/component/{z}/{x}/{y}.mvt?filter=state%20IN%20('broken')",
  ]);
  assert.equal(layer(style, "road-record").source, "city");
});

test("the order of layers is that of the state, within what may cover what", () => {
  const order = (names: string[]) =>
    compose(drawing({ order: names }))
      .layers.map(({ id }) => id)
      .filter((id) => id.endsWith("-record"));
  assert.deepEqual(order(["component", "video", "road"]), ["component-record", "video-record", "road-record"]);
  assert.deepEqual(order(["road", "component", "video"]), ["road-record", "component-record", "video-record"]);
});

test("cells that are wished at every zoom are the last ones, stretched, and no record is drawn", () => {
  const style = compose(drawing({ looks: { component: "cells" } }));
  assert.equal(layer(style, "component-cells").source, "city-component-cells");
  assert.equal(layer(style, "component-cells").maxzoom, 24);
  assert.equal((style.sources["city-component-cells"] as { maxzoom: number }).maxzoom, 12);
  assert.equal(layer(style, "component-record").layout?.visibility, "none");
  assert.equal(layer(style, "video-cells").layout?.visibility, "none");
});

test("heat is made of records close up and of what cells count from afar", () => {
  const style = compose(drawing({ looks: { video: "heat" }, hidden: { video: ["OFF"] } }));
  const near = layer(style, "video-heat");
  const far = layer(style, "video-heat-far");
  assert.deepEqual([near.minzoom, far.maxzoom, far["source-layer" as keyof typeof far]], [14, 14, "video_cells"]);
  assert.ok(JSON.stringify(near.filter).includes("OFF"));
  assert.ok(JSON.stringify(far.paint["heatmap-weight"]).includes("c_OFF"));
  assert.equal(layer(style, "video-record").layout?.visibility, "none");
});

test("areas are drawn for one layer, the topmost that wishes it; the other keeps its symbols", () => {
  const served = { ...SERVED, layers: [...SERVED.layers, part("town", "record", { type: "line" })] };
  const looks = { component: "town", video: "county" } as const;
  const style = compose(drawing({ served, looks, density: null, shades: 3, order: ["town", "component", "video"] }));
  const ids = style.layers.map(({ id }) => id);
  assert.ok(ids.includes("video-areas-county") && !ids.includes("component-areas-town"));
  assert.equal(layer(style, "component-record").layout?.visibility, "visible");
  assert.equal(layer(style, "video-record").layout?.visibility, "none");
});

test("names of larger places win over those of what lies in them", () => {
  const label = (name: string, minzoom: number) => part(name, "label", { type: "symbol", minzoom });
  const served = { ...SERVED, layers: [...SERVED.layers, label("county", 6), label("place", 13), label("town", 9)] };
  const ids = compose(drawing({ served })).layers.map(({ id }) => id);
  const labels = ids.filter((id) => /^(county|place|town)-label$/.test(id));
  assert.deepEqual(labels, ["place-label", "town-label", "county-label"]);
});

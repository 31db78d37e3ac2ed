import assert from "node:assert/strict";
import { test } from "node:test";
import type { Basemap } from "../src/city/api.ts";
import { baseLayers, baseSource, kindOf } from "../src/map/basemap.ts";

const BASE: Basemap = {
  type: "vector",
  tiles: ["/basemap/{z}/{x}/{y}"],
  minzoom: 0,
  maxzoom: 14,
  bounds: [120, 31, 122, 33],
  tileSize: 512,
  vectorLayers: ["place_label", "transportation", "water", "buildings", "boundary", "landuse"],
  attribution: { zh: "底图", en: "Base" },
  approval: null,
  frame: "EPSG:3857",
  warning: null,
};

const NAMES = {
  water: ["water", "waterway", "Ocean", "water_polygons", "river_lines"],
  road: ["transportation", "roads", "streets", "railway"],
  boundary: ["boundary", "boundaries", "admin_level_4", "county"],
  building: ["building", "buildings"],
  land: ["landuse", "landcover", "park", "earth"],
  name: ["place", "places", "transportation_name", "water_name", "poi", "street_labels"],
  other: ["aeroway", "layer0"],
} as const;

for (const [kind, ids] of Object.entries(NAMES)) {
  test(`layers that are ${kind} are known by what schemas call them`, () => {
    for (const id of ids) assert.equal(kindOf(id), kind, id);
  });
}

test("the tiles are asked of this server, with their places left open", () => {
  const source = baseSource(BASE, "http://localhost:8000") as { tiles: string[] };
  assert.deepEqual(source.tiles, ["http://localhost:8000/basemap/{z}/{x}/{y}"]);
});

test("surfaces lie under lines, and names over all", () => {
  const order = baseLayers(BASE, {}, true, "zh").map((layer) => layer.id.split("-")[1]);
  assert.deepEqual(
    [...new Set(order)],
    [undefined, "landuse", "water", "boundary", "transportation", "buildings", "place_label"],
  );
});

test("names are drawn in the language of the page, else as they are", () => {
  const text = (lang: "zh" | "en") => {
    const layer = baseLayers({ ...BASE, vectorLayers: ["place"] }, {}, true, lang).at(-1);
    return (layer as { layout: { "text-field": unknown[] } }).layout["text-field"];
  };
  assert.deepEqual(text("en").slice(0, 2), ["coalesce", ["get", "name:en"]]);
  assert.deepEqual(text("en").slice(-2), [["get", "name"], ""]);
  assert.deepEqual(text("zh")[1], ["get", "name:zh-Hans"]);
});

test("a picture is toned down, more so on the dark desk", () => {
  const paint = (dark: boolean) => baseLayers({ ...BASE, type: "raster" }, {}, dark, "zh")[0]?.paint ?? {};
  assert.ok("raster-brightness-max" in paint(true));
  assert.ok(!("raster-brightness-max" in paint(false)));
});

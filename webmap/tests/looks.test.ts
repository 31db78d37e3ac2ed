import assert from "node:assert/strict";
import { test } from "node:test";
import type { LayerSpecification } from "maplibre-gl";
import { areaLayers, areaRanges, EMPTY, rampColours, shadesOf, withShades } from "../src/map/choropleth.ts";
import { faded } from "../src/map/fade.ts";
import { heatLayers, intensityAt, radiusAt } from "../src/map/heat.ts";
import { hoverLayers } from "../src/map/highlight.ts";
import { looksFor, withLook } from "../src/map/looks.ts";

const ROLES = { ramp1: "#000000", ramp2: "#404040", ramp3: "#808080", ramp4: "#c0c0c0", ramp5: "#ffffff" };
const MINZOOMS = { grid: 10, town: 6, county: 6 };
const found = (areas: { id: string; n: number; km2: number }[]) =>
  ({ layer: "component", by: "town", at: "2026-11-22T00:00:00Z", areas, outside: 3, truncated: false }) as const;

test("areas are classed by records per km², those without records apart", () => {
  const shades = shadesOf(
    found([
      { id: "a", n: 10, km2: 1 },
      { id: "b", n: 10, km2: 10 },
      { id: "c", n: 0, km2: 5 },
      { id: "d", n: 300, km2: 3 },
      { id: "e", n: 4, km2: 0 },
    ]),
    [5, 50],
  );
  assert.deepEqual(
    [...shades.areas].map(([id, { shade }]) => [id, shade]),
    [
      ["a", 1],
      ["b", 0],
      ["c", EMPTY],
      ["d", 2],
    ],
  );
  assert.deepEqual(
    shades.classes.map(({ n }) => n),
    [1, 1, 1],
  );
  assert.equal(shades.empty, 1);
  assert.equal(shades.outside, 3);
});

test("where nothing is, there are no classes", () => {
  assert.deepEqual(shadesOf(found([{ id: "a", n: 0, km2: 1 }]), "jenks").classes, []);
});

test("fewer classes take the end of the ramp that stands out, more lie between its colours", () => {
  assert.deepEqual(rampColours(ROLES, 2), ["#c0c0c0", "#ffffff"]);
  assert.deepEqual(rampColours(ROLES, 9).slice(0, 3), ["#000000", "#202020", "#404040"]);
  assert.equal(new Set(rampColours(ROLES, 9)).size, 9);
});

test("towns stand in for grids where grids have no tiles yet", () => {
  assert.deepEqual(areaRanges("grid", MINZOOMS), [
    { area: "grid", from: 10, to: 24 },
    { area: "town", from: 0, to: 10 },
  ]);
  assert.deepEqual(areaRanges("town", MINZOOMS), [{ area: "town", from: 0, to: 24 }]);
  assert.deepEqual(areaRanges("grid", { grid: 10 }), [{ area: "grid", from: 10, to: 24 }]);
});

test("an area is filled by the class that its feature state tells", () => {
  const [fill] = areaLayers("component", "town", { minzooms: MINZOOMS, roles: ROLES, classes: 2, opacity: 1 });
  assert.ok(fill);
  assert.deepEqual((fill.paint as Record<string, unknown>)["fill-color"], [
    "match",
    ["coalesce", ["feature-state", "shade"], EMPTY],
    0,
    "#c0c0c0",
    1,
    "#ffffff",
    "rgba(0,0,0,0)",
  ]);
});

test("a style for paper names the areas of every class itself", () => {
  const drawn = areaLayers("component", "town", { minzooms: MINZOOMS, roles: ROLES, classes: 2, opacity: 1 });
  const areas = [
    { id: "a", n: 10, km2: 1 },
    { id: "b", n: 90, km2: 1 },
    { id: "c", n: 0, km2: 1 },
  ];
  const style = withShades({ version: 8, sources: {}, layers: drawn }, shadesOf(found(areas), [50]));
  const [fill] = style.layers;
  assert.ok(fill);
  assert.deepEqual((fill.paint as Record<string, unknown>)["fill-color"], [
    "match",
    ["match", ["get", "id"], ["a"], 0, ["b"], 1, EMPTY],
    0,
    "#c0c0c0",
    1,
    "#ffffff",
    "rgba(0,0,0,0)",
  ]);
});

test("a fainter layer keeps the zoom outermost in its expressions", () => {
  const layer = {
    id: "a",
    type: "circle",
    source: "city",
    paint: { "circle-opacity": ["interpolate", ["linear"], ["zoom"], 10, 0.4, 12, 0.8] },
  } as LayerSpecification;
  assert.deepEqual(faded(layer, 0.5).paint, {
    "circle-opacity": ["interpolate", ["linear"], ["zoom"], 10, 0.2, 12, 0.4],
    "circle-stroke-opacity": 0.5,
  });
  assert.equal(faded(layer, 1), layer);
});

test("heat of the same place is as strong from afar as from close by, and a lone record never burns", () => {
  const lit = (zoom: number) => intensityAt(zoom, 13, 32);
  for (const zoom of [6, 8, 10, 12, 14, 16, 18, 20]) {
    assert.ok(lit(zoom) > 0);
    assert.ok(lit(zoom) * 0.4 <= 1.01);
    assert.ok(radiusAt(zoom) <= 40);
  }
  assert.ok(lit(14) > lit(8));
  assert.ok(Number.isFinite(intensityAt(8, 0, 32)));
});

test("heat begins with its own colour, wholly clear, and spreads from cells farther than from records", () => {
  const drawing = { layer: "component", source: "city", minzoom: 13, opacity: 1, perKm2: 13, lat: 32 };
  const layers = heatLayers({ ...drawing, roles: { ramp2: "#c0ffee" }, filter: undefined, cellCount: ["get", "n"] });
  const paints = layers.map(({ paint }) => paint as Record<string, unknown[]>);
  assert.deepEqual(
    paints.map((paint) => paint["heatmap-color"]?.[4]),
    ["#c0ffee00", "#c0ffee00"],
  );
  const [far, near] = paints.map((paint) => Number(paint["heatmap-radius"]?.[4]));
  assert.ok(Number(far) > Number(near));
});

test("a layer can be looked at only as makes sense for it", () => {
  const known = () => true;
  const of = (group: string, geometry: string, minzoom: number) =>
    looksFor({ group: group as "area", geometry, minzoom }, known);
  assert.deepEqual(of("facility", "Point", 13), ["symbol", "cells", "heat", "grid", "town", "county"]);
  assert.deepEqual(of("base", "MultiLineString", 6), ["symbol"]);
  assert.deepEqual(of("area", "MultiPolygon", 10), ["symbol", "cells"]);
  assert.deepEqual(of("area", "MultiPolygon", 6), ["symbol"]);
  assert.deepEqual(
    looksFor({ group: "facility", geometry: "Point", minzoom: 6 }, () => false),
    ["symbol", "heat"],
  );
});

test("one density has the screen: choosing one puts another's away", () => {
  const state = { looks: { video: "heat" as const }, density: "video" };
  assert.deepEqual(withLook(state, "component", "town"), { looks: { component: "town" }, density: "component" });
  assert.deepEqual(withLook(state, "video", "symbol"), { looks: {} });
});

const record = (layer: string, more: object): LayerSpecification =>
  ({
    id: `${layer}-drawn`,
    source: "city",
    "source-layer": layer,
    metadata: { "chengtu:layer": layer, "chengtu:part": "record" },
    layout: { visibility: "visible" },
    ...more,
  }) as LayerSpecification;

test("what a panel points at gets a ring, a wider line or an edge", () => {
  const layers = [
    record("component", { type: "circle", paint: { "circle-radius": 3 } }),
    record("road", { type: "line", paint: { "line-width": 2 }, filter: ["has", "kind"] }),
    record("county", { type: "line" }),
  ];
  const lit = (layer: string, column: string, value: string | null) =>
    hoverLayers(layers, { layer, column, value }, { select: "#ffffff" }) as unknown as Record<string, unknown>[];
  assert.deepEqual(lit("component", "major", "01")[0]?.filter, ["==", ["to-string", ["get", "major"]], "01"]);
  assert.deepEqual(lit("road", "kind", "trunk")[0]?.filter, [
    "all",
    ["has", "kind"],
    ["==", ["to-string", ["get", "kind"]], "trunk"],
  ]);
  const [county] = lit("component", "admin_code", "320681");
  assert.deepEqual([county?.source, county?.filter], ["areas-county", ["==", ["get", "id"], "320681"]]);
  assert.deepEqual(lit("component", "admin_code", "320681101"), []); // the city shows no towns here
  assert.deepEqual(lit("component", "major", null), []);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { areaText, figures, lengthText, type Mark, markOf, measured, muText, toGeoJson } from "../src/tools/marks.ts";
import { labelled, markLayers } from "../src/tools/overlay.ts";
import { HERE, keep, kept, MOST_IN_URL, read, write } from "../src/tools/written.ts";

const POINT: Mark = { kind: "point", points: [[120.894301, 31.980205]], note: "井盖缺失~!*,&=" };
const LINE: Mark = {
  kind: "line",
  points: [
    [120.8, 31.9],
    [120.9, 31.95],
    [120.85, 32.1],
  ],
  note: "",
};
const AREA: Mark = {
  kind: "area",
  points: [
    [120.8, 31.9],
    [120.9, 31.9],
    [120.85, 32.1],
  ],
  note: "a",
};
const CIRCLE: Mark = { kind: "circle", points: [[120.89, 31.98]], radius_m: 308.9, note: "" };
const ALL = [POINT, LINE, AREA, CIRCLE];

function shelf(): Storage {
  const held = new Map<string, string>();
  return {
    getItem: (key: string) => held.get(key) ?? null,
    setItem: (key: string, value: string) => void held.set(key, value),
    removeItem: (key: string) => void held.delete(key),
  } as Storage;
}

test("marks come back from their text as they were", () => {
  assert.deepEqual(read(write(ALL)), ALL);
});

test("the text needs no escaping in a URL but for what is not ASCII in notes", () => {
  const text = write([LINE, AREA, CIRCLE]);
  assert.equal(encodeURIComponent(text), text);
});

for (const broken of [
  "",
  "p",
  "x1.2",
  "l1.2",
  "a1.2.3.4",
  "c1.2",
  "c1.2.0",
  "p1.2.3",
  "pa b.1",
  "pzzzzzzzzz.1",
  "~~~",
]) {
  test(`what makes no sense is no mark: ${broken}`, () => assert.deepEqual(read(broken), []));
}

test("few marks go into the URL, many stay in the browser and the URL says so", () => {
  const storage = shelf();
  const few = keep([LINE], storage);
  assert.equal(few, write([LINE]));
  assert.deepEqual(kept(few, storage), [LINE]);
  const many = Array.from({ length: MOST_IN_URL / 10 }, () => AREA);
  assert.equal(keep(many, storage), HERE);
  assert.deepEqual(kept(HERE, storage), many);
  // Someone who goes back to a page without marks, and on again, finds the drawing.
  assert.equal(keep([], storage), null);
  assert.deepEqual(kept(HERE, storage), many);
  assert.deepEqual(kept(null, storage), []);
});

test("a sketch becomes a mark once it is long enough, without points that are there twice", () => {
  assert.equal(
    markOf("line", [
      [120, 32],
      [120, 32],
    ]),
    null,
  );
  assert.equal(
    markOf("area", [
      [120, 32],
      [121, 32],
      [121, 32],
      [120, 32],
    ]),
    null,
  );
  const ring = [
    [120, 32],
    [121, 32],
    [121, 32],
    [120.5, 33],
    [120, 32],
  ];
  assert.deepEqual(markOf("area", ring)?.points, [
    [120, 32],
    [121, 32],
    [120.5, 33],
  ]);
  assert.deepEqual(markOf("point", [[120.12345678, 32]])?.points, [[120.123457, 32]]);
});

test("a circle that is round on the map is a middle and a radius", () => {
  const [feature] = toGeoJson([CIRCLE]).features;
  assert.ok(feature?.geometry.type === "Polygon");
  const again = markOf("circle", feature.geometry.coordinates[0] ?? []);
  assert.ok(again !== null && Math.abs((again.radius_m ?? 0) - 308.9) < 0.3);
  assert.ok(Math.abs((again.points[0]?.[1] ?? 0) - 31.98) < 1e-5);
});

test("figures read as people write them", () => {
  assert.equal(lengthText("zh", 862.04), "862 m");
  assert.equal(lengthText("en", 6573.7), "6.574 km");
  assert.equal(areaText("en", 14305.5), "14,306 m²");
  assert.equal(areaText("zh", 419_121_575), "419.12 km²");
  assert.equal(muText("zh", 2000 / 3), "1");
  assert.equal(figures("zh", POINT), "");
  assert.match(figures("zh", CIRCLE), /^R 308\.9 m · [\d,]+ m²$/);
  assert.deepEqual(Object.keys(measured(AREA)), ["area_m2", "length_m"]);
});

test("GeoJSON has closed rings, notes and figures", () => {
  const { features } = toGeoJson(ALL);
  assert.deepEqual(
    features.map(({ geometry }) => geometry.type),
    ["Point", "LineString", "Polygon", "Polygon"],
  );
  const [ring = []] = features[2]?.geometry.type === "Polygon" ? features[2].geometry.coordinates : [];
  assert.deepEqual(ring[0], ring.at(-1));
  assert.equal(features[0]?.properties?.note, POINT.note);
  assert.ok(Number(features[1]?.properties?.length_m) > 20_000);
});

test("a line is labelled where it ends, once; an area and a point where they are", () => {
  const line: Mark = {
    kind: "line",
    points: [
      [120, 32],
      [120.1, 32],
      [120.1, 32.1],
    ],
    note: "",
  };
  const point: Mark = { kind: "point", points: [[120, 32]], note: "here" };
  const { features } = labelled([line, point], "en");
  const said = features.filter(({ properties }) => properties?.label);
  assert.deepEqual(
    said.map(({ geometry }) => geometry.type === "Point" && geometry.coordinates),
    [
      [120.1, 32.1],
      [120, 32],
    ],
  );
  const dots = markLayers({}).find(({ id }) => id.endsWith("point"));
  assert.match(JSON.stringify(dots), /"!=",\["get","kind"\],"end"/, "a label is no mark");
});

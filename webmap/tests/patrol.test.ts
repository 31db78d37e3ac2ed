import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mark } from "../src/tools/marks.ts";
import * as written from "../src/video/written.ts";

const NOTHING = { conditions: {}, picked: undefined };

test("a patrol survives its text", () => {
  for (const from of ["listed", "sight", "drawn", "picked", "area:320602", "area:320602001003"]) {
    const patrol = { size: 9, seconds: 20, from } as const;
    assert.deepEqual(written.readPatrol(written.writePatrol(patrol)), patrol);
  }
});

test("what is no patrol is none", () => {
  for (const text of [undefined, "", "4/10", "5/10/listed", "4/0/listed", "4/x/listed", "4/10/all", "4/10/area:a'b"])
    assert.equal(written.readPatrol(text), null, text);
});

test("points are read to a decimetre, and only on earth", () => {
  assert.deepEqual(written.readSpot(written.writeSpot({ lon: 120.8795606, lat: 32.01 })), {
    lon: 120.879561,
    lat: 32.01,
  });
  for (const text of [undefined, "", "120", "a,b", "200,32", "120,89"])
    assert.equal(written.readSpot(text), null, text);
});

test("each source of a patrol asks for its cameras", () => {
  assert.equal(written.filterOf("listed", NOTHING, []), null);
  const on = { conditions: { video: { status: { in: ["ON"] } } } };
  assert.equal(written.filterOf("listed", { ...NOTHING, ...on }, []), "status IN ('ON')");
  assert.equal(written.filterOf("area:320602", NOTHING, []), "admin_code LIKE '320602%'");
  assert.equal(written.filterOf("area:320602001003", NOTHING, []), "grid_id IN ('320602001003')");
  assert.equal(written.filterOf("picked", NOTHING, []), undefined);
  assert.equal(written.filterOf("picked", { ...NOTHING, picked: "b,a" }, []), "id IN ('a', 'b')");
  assert.equal(written.filterOf("drawn", NOTHING, []), undefined);
  const area: Mark = {
    kind: "area",
    points: [
      [120, 32],
      [121, 32],
      [121, 33],
    ],
    note: "",
  };
  const line: Mark = {
    kind: "line",
    points: [
      [120, 32],
      [121, 32],
    ],
    note: "",
  };
  const ring = "120.000000 32.000000, 121.000000 32.000000, 121.000000 33.000000, 120.000000 32.000000";
  assert.equal(
    written.filterOf("drawn", NOTHING, written.drawnAreas([line, area])),
    `S_INTERSECTS(geom, POLYGON((${ring})))`,
  );
});

test("a link's template takes what it names, escaped", () => {
  const camera = { id: "a/b c", lon: 120.5, lat: 32 };
  assert.equal(written.address("https://v.cn/p?c={id}", camera), "https://v.cn/p?c=a%2Fb%20c");
  assert.equal(written.address("/v/{id}/{lon}/{lat}", camera), "/v/a%2Fb%20c/120.500000/32.000000");
});

test("screens go round", () => {
  const grid = { size: 4, total: 10 };
  assert.deepEqual(
    [0, 4, 8].map((at) => written.turned(at, 1, grid)),
    [4, 8, 0],
  );
  assert.deepEqual(
    [0, 4, 8].map((at) => written.turned(at, -1, grid)),
    [8, 0, 4],
  );
  assert.equal(written.turned(0, 1, { size: 4, total: 0 }), 0);
});

test("a patrol walks from camera to nearest camera, and leaves none out", () => {
  const at = (id: string, lon: number) => ({ id, lon, lat: 32 });
  const sites = [at("a", 1), at("far", 9), at("b", 2), at("c", 3)];
  assert.deepEqual(
    written.walked(sites).map(({ id }) => id),
    ["a", "b", "c", "far"],
  );
  assert.deepEqual(written.walked([]), []);
  assert.deepEqual(
    written.inOrder(sites, ["c", "gone", "a"]).map(({ id }) => id),
    ["c", "a"],
  );
});

test("picking again takes away, and a full list takes no more", () => {
  assert.equal(written.toggled(["a"], "b"), "a,b");
  assert.equal(written.toggled(["a"], "a"), undefined);
  const full = Array.from({ length: written.MOST_PICKED }, (_, at) => String(at));
  assert.equal(written.readPicked(written.toggled(full, "more")).length, written.MOST_PICKED);
});

test("a camera to which one looks west stands in the east", () => {
  // The bearing goes from the camera to the place.
  assert.deepEqual([0, 90, 180, 270, 359].map(written.windOf), [4, 6, 0, 2, 4]);
});

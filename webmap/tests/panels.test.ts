import assert from "node:assert/strict";
import { test } from "node:test";
import type { Door, Figures, Point, Value } from "../src/city/indicators.ts";
import type { Topic } from "../src/city/topics.ts";
import { blank, createStore, fromFragment, type State, toFragment } from "../src/page/state.ts";
import { admits, behind, createDoors, standsFor } from "../src/panels/doors.ts";
import { aimOf } from "../src/panels/drawing.ts";
import { turnOf } from "../src/panels/figures.ts";
import { lineThrough, rangeOf } from "../src/panels/series.ts";
import { rowsOf } from "../src/panels/table.ts";
import { arranged, change } from "../src/panels/topic.ts";

const PLAIN: State = { ...blank(), layers: ["county", "component"], density: "component" };
const NAMED = { zh: "应急", en: "Emergency" };
const TOPIC: Topic = {
  name: "emergency",
  title: NAMED,
  about: NAMED,
  view: { lon: 120.9, lat: 32, zoom: 11 },
  refresh_s: 30,
  layers: [
    { layer: "video", opacity: 0.5 },
    { layer: "shelter", look: "symbol" },
    { layer: "hazard", look: "heat", conditions: { level: { in: ["1"] } } },
  ],
  rasters: ["relief"],
  density: null,
  panels: [],
  wall: null,
};

test("a topic alone in the URL stands for its whole arrangement", () => {
  const defaults = arranged(PLAIN, TOPIC);
  assert.equal(toFragment(defaults, defaults), "topic=emergency");
  const state = fromFragment("#topic=emergency", defaults);
  assert.deepEqual(state, defaults);
  assert.deepEqual(state.layers, ["video", "shelter", "hazard"]);
  assert.deepEqual(state.looks, { hazard: "heat" });
  assert.deepEqual(state.opacity, { video: 0.5 });
  assert.deepEqual(state.conditions, { hazard: { level: { in: ["1"] } } });
  assert.deepEqual(state.rasters, ["relief"]);
});

for (const [what, part] of Object.entries({
  "another view": { view: { lon: 121, lat: 32.1, zoom: 9 } },
  "no raster": { rasters: [] },
  "no condition": { conditions: {} },
  "no looks": { looks: {} },
  "other layers": { layers: ["video"] },
})) {
  test(`what differs from a topic's arrangement comes back from the URL: ${what}`, () => {
    const defaults = arranged(PLAIN, TOPIC);
    const state = { ...defaults, ...part };
    assert.deepEqual(fromFragment(`#${toFragment(state, defaults)}`, defaults), state);
  });
}

test("choosing a topic keeps language, palette, frame and what is open", () => {
  const kept = Object.keys(PLAIN).filter((part) => !(part in change(arranged(PLAIN, TOPIC))));
  assert.deepEqual(kept.sort(), ["frame", "hovered", "lang", "palette", "selected", "view"]);
});

const BROKEN: Door = { layer: "component", conditions: { state: { in: ["broken"] } } };
const IN_TOWN: Door = {
  layer: "component",
  conditions: { state: { in: ["broken"] }, admin_code: { starts: "320613001" } },
};

test("a door sets its conditions and lists them; clicked again it restores what was before", () => {
  const own = { major: { in: ["02"] } };
  const store = createStore({ ...PLAIN, layers: ["county"], conditions: { component: own, video: own } });
  const doors = createDoors(store, () => undefined);
  doors.toggle(BROKEN);
  assert.equal(doors.isOpen(BROKEN), true);
  assert.equal(doors.isOpen(IN_TOWN), false);
  assert.deepEqual(store.get().conditions.component, BROKEN.conditions);
  assert.equal(store.get().listed, "component");
  assert.deepEqual(store.get().layers, ["county", "component"]);
  doors.toggle(BROKEN);
  assert.deepEqual(store.get().conditions, { component: own, video: own });
  assert.equal(store.get().listed, null);
  assert.deepEqual(store.get().layers, ["county"]);
});

test("from one door straight into another, the way back leads out of both", () => {
  const store = createStore(PLAIN);
  const doors = createDoors(store, () => undefined);
  doors.toggle(BROKEN);
  doors.toggle(IN_TOWN);
  assert.deepEqual(store.get().conditions.component, IN_TOWN.conditions);
  doors.leave();
  assert.deepEqual(store.get().conditions, {});
  assert.equal(store.get().listed, null);
});

test("a door that a link opened leads back to the topic's own conditions", () => {
  const store = createStore({ ...PLAIN, conditions: { component: BROKEN.conditions }, listed: "component" });
  const topic = { department: { in: ["城管局"] } };
  const doors = createDoors(store, (layer) => (layer === "component" ? topic : undefined));
  assert.equal(doors.isOpen(BROKEN), true);
  doors.toggle(BROKEN);
  assert.deepEqual(store.get().conditions, { component: topic });
});

test("a list that no door opened closes without touching the conditions", () => {
  const conditions = { component: BROKEN.conditions };
  const store = createStore({ ...PLAIN, conditions, listed: "component" });
  createDoors(store, () => undefined).leave();
  assert.deepEqual(store.get().conditions, conditions);
  assert.equal(store.get().listed, null);
});

test("a row stands for what tells it from its neighbours", () => {
  assert.deepEqual(standsFor(IN_TOWN, "town"), { layer: "component", column: "admin_code", value: "320613001" });
  assert.deepEqual(standsFor(IN_TOWN, "city"), { layer: "component", column: "state", value: "broken" });
  assert.equal(standsFor({ layer: "component", conditions: {} }, "city"), null);
  assert.equal(standsFor({ layer: "component", conditions: { state: { in: ["lost", "broken"] } } }, "city"), null);
});

test("what is hovered lights up the rows that it is part of", () => {
  const town = { layer: "component", column: "admin_code", value: "320613001" };
  const county: Door = { layer: "component", conditions: { admin_code: { starts: "320613" } } };
  assert.equal(behind({ door: county, by: "county" }, town), true);
  assert.equal(behind({ door: IN_TOWN, by: "town" }, town), true);
  assert.equal(behind({ door: BROKEN, by: "city" }, town), false);
  assert.equal(behind({ door: county, by: "county" }, { ...town, layer: "video" }), false);
  assert.equal(behind({ door: county, by: "county" }, null), false);
});

for (const [clause, value, passes] of [
  [{ in: ["a", null] }, null, true],
  [{ in: ["a"] }, "b", false],
  [{ starts: "3206" }, "320613", true],
  [{ starts: "3206" }, null, false],
  [{ from: "2026-01-01" }, "2026-05-01", true],
  [{ from: "2026-01-01", to: "2026-02-01" }, "2026-05-01", false],
] as const) {
  test(`${JSON.stringify(clause)} ${passes ? "lets" : "does not let"} ${value} pass`, () => {
    assert.equal(admits(clause, value), passes);
  });
}

const past = (...values: (number | null)[]): Point[] =>
  values.map((value, day) => ({ at: new Date(Date.UTC(2026, 0, 1 + day)).toISOString(), value, door: null }));

test("how a figure turned is told with its direction and whether that is better", () => {
  assert.deepEqual(turnOf(past(10, 12, 14), "down", 0), { by: 4, days: 2, turn: "worse" });
  assert.deepEqual(turnOf(past(10, 12, 9), "down", 0), { by: -1, days: 2, turn: "better" });
  assert.deepEqual(turnOf(past(90.1, 90.3), "up", 1), { by: 0.2, days: 1, turn: "better" });
  assert.deepEqual(turnOf(past(90.12, 90.14), "up", 1), { by: 0, days: 1, turn: "same" });
  assert.deepEqual(turnOf(past(1, 2), null, 0), { by: 1, days: 1, turn: "other" });
  assert.deepEqual(turnOf(past(null, 5, null, 6), null, 0), { by: 1, days: 2, turn: "other" });
  assert.equal(turnOf(past(null, 5, null), "up", 0), null);
  assert.equal(turnOf([], "up", 0), null);
});

test("a scale shows all values, a norm that is near, and never nothing", () => {
  assert.deepEqual(rangeOf([], null), { low: 0, high: 1 });
  const flat = rangeOf(past(0, 0), null);
  assert.equal(flat.high > flat.low, true);
  const near = rangeOf(past(94, 96), { least: 95, most: 97 });
  assert.equal(near.low <= 94 && near.high >= 97, true);
  assert.equal(rangeOf(past(94, 96), { least: 0, most: null }).low > 90, true);
  assert.equal(rangeOf(past(0, 5), null).low, 0);
});

for (const [better, norm, aim] of [
  ["up", { low: 95, high: 98 }, { least: 98, most: null }],
  ["up", { low: 95, high: null }, { least: 95, most: null }],
  ["down", { low: 0, high: 5 }, { least: null, most: 0 }],
  ["down", { low: null, high: 5 }, { least: null, most: 5 }],
  [null, { low: 1, high: 2 }, { least: 1, most: 2 }],
  [null, null, { least: null, most: null }],
] as const) {
  test(`where better is ${better}, ${JSON.stringify(norm)} aims at ${JSON.stringify(aim)}`, () => {
    assert.deepEqual(aimOf({ better, norm }), aim);
  });
}

test("a line is broken where nothing is known", () => {
  assert.equal(lineThrough(past(0, 10, null, 10), { low: 0, high: 10 }, 30, 10), "M0.0 10.0L10.0 0.0M30.0 0.0");
});

test("a table has one row for each key, in the order of its first indicator", () => {
  const value = (key: string): Value => ({
    key,
    title: { zh: key, en: key },
    value: 1,
    numerator: 1,
    denominator: null,
    status: null,
    door: null,
    denominator_door: null,
  });
  const column = (...keys: string[]) => ({ values: keys.map(value) }) as Figures;
  const rows = rowsOf([column("b", "a"), column("a", "c")], ({ title }) => title.en);
  assert.deepEqual(
    rows.map(({ name, values }) => [name, ...values.map((each) => each?.key ?? null)]),
    [
      ["b", "b", null],
      ["a", "a", "a"],
      ["c", null, "c"],
    ],
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Change, eventGate, eventGates, isOld, SETTLE_MS } from "../src/wall/events.ts";
import { CAPITAL_EM, HAN_EM, LEAST_ARC, layoutOf, pixelMm, scaleOf } from "../src/wall/scale.ts";
import { settingFrom, tokenFrom } from "../src/wall/setting.ts";
import { times } from "../src/wall/style.ts";
import { unraised } from "../src/wall/text.ts";

const HD = { inches: 55, width: 1920, height: 1080, zoom: 1 };

test("on a 55-inch screen read from six metres a character is 44 pixels high at least", () => {
  const { han, latin, figure } = scaleOf(HD, 6);
  assert.ok(han * HAN_EM >= 44 && han * HAN_EM < 45);
  assert.ok(latin * CAPITAL_EM >= 44 && latin * CAPITAL_EM < 45);
  assert.ok(figure * CAPITAL_EM * pixelMm(HD) >= 6000 / 150);
});

test("type has the same height on the wall, whatever its pixels are", () => {
  const fine = { ...HD, width: 3840, height: 2160 };
  assert.ok(Math.abs(scaleOf(fine, 6).han - 2 * scaleOf(HD, 6).han) <= 1);
  assert.ok(Math.abs(scaleOf({ ...HD, zoom: 2 }, 6).han * 2 - scaleOf(HD, 6).han) <= 2);
  for (const far_m of [2, 4, 10]) {
    for (const screen of [HD, fine, { inches: 120, width: 5120, height: 1440, zoom: 1 }]) {
      assert.ok(scaleOf(screen, far_m).han * HAN_EM * pixelMm(screen) >= far_m * 1000 * LEAST_ARC);
    }
  }
});

test("the map has two thirds, however large the type", () => {
  for (const [width, height] of [
    [1920, 1080],
    [3840, 2160],
    [5120, 1440],
    [1280, 1024],
  ] as const) {
    for (const far_m of [2, 6, 10]) {
      const { strip, lane, lanes } = layoutOf(scaleOf({ inches: 55, width, height, zoom: 1 }, far_m), width, height);
      assert.ok(((width - lane * lanes) * (height - strip)) / (width * height) >= 0.65, `${width} ${far_m}`);
    }
  }
});

test("an ultra-wide wall has panels side by side", () => {
  assert.equal(layoutOf(scaleOf({ inches: 120, width: 5120, height: 1440, zoom: 1 }, 6), 5120, 1440).lanes, 2);
});

test("a wall's address may say anything; what makes no sense takes the defaults", () => {
  assert.deepEqual(settingFrom("?inches=98&far=8&topics=a,b&seconds=45&follow=10&lang=en"), {
    inches: 98,
    far_m: 8,
    topics: ["a", "b"],
    seconds: 45,
    follow_s: 10,
    lang: "en",
  });
  assert.deepEqual(settingFrom("?inches=-1&far=x&topics=&seconds=0&lang=fr"), {
    inches: 55,
    far_m: 6,
    topics: null,
    seconds: null,
    follow_s: 20,
    lang: "zh",
  });
  assert.equal(tokenFrom("#token=a_b-c"), "a_b-c");
  assert.equal(tokenFrom("#"), null);
});

test("units are written without small raised digits", () => {
  assert.equal(unraised("个/km²", "zh"), "个/平方公里");
  assert.equal(unraised("per km²", "en"), "per sq km");
});

test("expressions of the zoom grow in their outputs and stay outermost", () => {
  assert.deepEqual(times(["interpolate", ["linear"], ["zoom"], 8, 2, 14, ["get", "r"]], 3), [
    "interpolate",
    ["linear"],
    ["zoom"],
    8,
    6,
    14,
    ["*", 3, ["get", "r"]],
  ]);
  assert.deepEqual(times(["step", ["zoom"], 1, 10, 2], 2), ["step", ["zoom"], 2, 10, 4]);
  assert.equal(times(2, 3), 6);
});

const change = (id: number): Change => ({
  layer: "component",
  id: String(id),
  op: "update",
  at: "2026-11-22T08:00:00Z",
  lon: 121,
  lat: 32,
});

test("a changed record is looked at once, when it has settled", () => {
  const gate = eventGate();
  gate.heard(change(1), 0);
  gate.heard(change(1), 100);
  assert.deepEqual(gate.due(SETTLE_MS), []);
  assert.equal(gate.due(100 + SETTLE_MS).length, 1);
  assert.deepEqual(gate.due(10_000), []);
});

test("what was shown is no news for an hour", () => {
  const gate = eventGate();
  gate.shown(change(1), 0);
  gate.heard(change(1), 60_000);
  assert.deepEqual(gate.due(70_000), []);
  gate.heard(change(1), 3_600_001);
  assert.equal(gate.due(3_700_000).length, 1);
});

test("a delivery is no event, and neither is what comes until it is calm", () => {
  const gate = eventGate();
  for (let id = 0; id < 500; id++) gate.heard(change(id), id);
  assert.deepEqual(gate.due(5_000), []);
  gate.heard(change(1000), 20_000);
  assert.deepEqual(gate.due(25_000), []);
  gate.heard(change(1001), 60_000);
  assert.equal(gate.due(62_000).length, 1);
});

test("what pours into one layer does not hide an event of another", () => {
  const gates = eventGates();
  for (let id = 0; id < 500; id++) gates.heard(change(id), id);
  gates.heard({ ...change(1), layer: "pollution" }, 1_000);
  assert.deepEqual(
    gates.due(5_000).map(({ layer }) => layer),
    ["pollution"],
  );
});

test("what could not be looked at is looked at again, and does not count as another change", () => {
  const gate = eventGate();
  gate.heard(change(1), 0);
  for (let now = 2_000; now < 100_000; now += 2_000) {
    const due = gate.due(now);
    assert.equal(due.length, 1);
    gate.again(due[0] as Change, now);
  }
  assert.equal(gate.due(100_000).length, 1);
  assert.deepEqual(gate.due(110_000), []);
});

test("what is retired, or was changed long ago, is no event", () => {
  const gate = eventGate();
  gate.heard({ ...change(1), op: "delete" }, 0);
  assert.deepEqual(gate.due(5_000), []);
  const at = Date.parse(change(1).at);
  assert.equal(isOld(change(1), at + 60_000), false);
  assert.equal(isOld(change(1), at + 3_600_000), true);
});

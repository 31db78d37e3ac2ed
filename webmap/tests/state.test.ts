import assert from "node:assert/strict";
import { test } from "node:test";
import { blank, createStore, fromFragment, type State, toFragment } from "../src/page/state.ts";

const DEFAULTS: State = { ...blank(), layers: ["county", "component"], density: "component" };

const STATES: Record<string, Partial<State>> = {
  "the defaults": {},
  "a view": { view: { lon: 120.8943, lat: 31.9802, zoom: 12.5 } },
  "no layer at all": { layers: [] },
  "other layers and palette": { layers: ["county", "video"], palette: "light", lang: "en", frame: "GCJ-02" },
  "classes switched off": { hidden: { component: ["01", "04"], duty_grid: ["城管局, 一:中队/二%"] } },
  "a raster": { rasters: ["relief", "population"] },
  "a chosen density": { density: "video" },
  "no density": { density: null },
  "a topic": { topic: "city-management" },
  "looks and opacity": { looks: { component: "town", video: "heat" }, opacity: { building: 0.35 } },
  "natural breaks": { breaks: "jenks" },
  "breaks of one's own": { breaks: [0.5, 10, 200] },
  conditions: { conditions: { component: { state: { in: ["2", null] }, name: { starts: "100%,&=" } } } },
  "a list": { listed: "component" },
  "an open record": { selected: { kind: "item", layer: "component", id: "32060201001000001" } },
  "a record with a strange id": { selected: { kind: "item", layer: "my_layer", id: "a&b=c+d,é" } },
  "an open spot": { selected: { kind: "spot", lon: 120.894301, lat: 31.980205 } },
};

for (const [name, part] of Object.entries(STATES)) {
  test(`${name} comes back from the URL as it was`, () => {
    const state = { ...DEFAULTS, ...part };
    assert.deepEqual(fromFragment(`#${toFragment(state, DEFAULTS)}`, DEFAULTS), state);
  });
}

test("the defaults leave the URL clean", () => {
  assert.equal(toFragment(DEFAULTS, DEFAULTS), "");
});

test("the fragment stays readable", () => {
  const state = { ...DEFAULTS, view: { lon: 120.8943, lat: 31.9802, zoom: 12 }, layers: ["county", "video"] };
  assert.equal(toFragment(state, DEFAULTS), "at=12/31.9802/120.8943&layers=county,video");
});

for (const broken of [
  "at=x/y/z",
  "at=12/95/200",
  "at=12//",
  "open=/",
  "open=@1",
  "palette=pink",
  "lang=%E4%",
  "off=:",
  "looks=component:pink",
  "opacity=building:2",
  "breaks=3,1",
  "where={",
]) {
  test(`what makes no sense in a URL is left out: ${broken}`, () => {
    assert.deepEqual(fromFragment(broken, DEFAULTS), DEFAULTS);
  });
}

test("a listener hears of its own parts only, until it stops listening", () => {
  const store = createStore(DEFAULTS);
  const heard: string[] = [];
  const stop = store.on(["lang"], (state) => heard.push(state.lang));
  store.set({ palette: "light" });
  store.set({ lang: "en" });
  store.set({ lang: "en" });
  stop();
  store.set({ lang: "zh" });
  assert.deepEqual(heard, ["en"]);
});

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { Look } from "../src/page/state.ts";

const settled = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
};

test("areas that were coloured before are counted anew where their records changed meanwhile", async () => {
  const asked: string[] = [];
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  Object.assign(globalThis, {
    matchMedia: () => ({ matches: false }),
    sessionStorage: { getItem: () => null },
    fetch: async (path: string) => {
      asked.push(path);
      const found = { layer: "lamp", by: "county", at: "", areas: [], outside: 0, truncated: false };
      return { ok: true, status: 200, json: async () => found, headers: new Headers() };
    },
  });
  const { createShading } = await import("../src/map/shading.ts");
  const { blank, createStore } = await import("../src/page/state.ts");
  const store = createStore({ ...blank(), layers: ["lamp"], density: "lamp" });
  const ranges = () => {
    const look = store.get().looks.lamp;
    return look === undefined || look === "symbol" ? [] : [{ layer: "lamp", look, from: 0, to: 24 }];
  };
  const map = { on: () => undefined, getZoom: () => 12, getSource: () => undefined };
  const app = { store, city: { layer: (name: string) => (name === "county" ? { minzoom: 6 } : undefined) } };
  const shading = createShading(app as never, map as never, ranges);
  const look = async (looks: Record<string, Look>) => {
    store.set({ looks });
    await settled();
  };
  await look({ lamp: "county" });
  await look({});
  await look({ lamp: "county" });
  assert.equal(asked.length, 1);
  await look({});
  shading.changed("road");
  await look({ lamp: "county" });
  assert.equal(asked.length, 1);
  await look({});
  shading.changed("lamp");
  await look({ lamp: "county" });
  assert.equal(asked.length, 2);
  mock.timers.reset();
});

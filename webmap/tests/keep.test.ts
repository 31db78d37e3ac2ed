import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { Topic } from "../src/city/topics.ts";

const NAMED = { zh: "应急", en: "Emergency" };
const TOPIC: Topic = {
  name: "emergency",
  title: NAMED,
  about: NAMED,
  view: null,
  refresh_s: 30,
  layers: [{ layer: "busy" }, { layer: "quiet" }],
  rasters: [],
  density: null,
  panels: ["busy", "quiet"].map((layer) => ({ kind: "statuses", layer, column: "status" }) as const),
  wall: null,
};

const settled = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
};

test("a panel is asked for every so often, however often the layers of others change", async () => {
  const facets = [{ column: "status", title: NAMED, values: [], truncated: false }];
  const asked: string[] = [];
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  Object.assign(globalThis, {
    window: globalThis,
    matchMedia: () => ({ matches: false }),
    document: Object.assign(new EventTarget(), { visibilityState: "visible" }),
    sessionStorage: { getItem: () => null },
    fetch: async (path: string) => {
      asked.push(path);
      return { ok: true, status: 200, json: async () => ({ facets }), headers: new Headers() };
    },
  });
  const { keepPanels } = await import("../src/panels/keep.ts");
  const over = new AbortController();
  const keeper = keepPanels(TOPIC, () => undefined, over.signal);
  mock.timers.tick(0);
  await settled();
  for (let s = 0; s < 120; s++) {
    keeper.changed("busy");
    mock.timers.tick(1_000);
    await settled();
  }
  over.abort();
  mock.timers.reset();
  const quiet = asked.filter((path) => path.includes("/layers/quiet/"));
  assert.ok(quiet.length >= 4, `asked ${quiet.length} times in two minutes`);
  assert.ok(quiet.length <= 6, `asked ${quiet.length} times in two minutes`);
});

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

test("an answer that never comes is given up, said, and asked for again", async () => {
  const late = new AbortController();
  mock.method(AbortSignal, "timeout", () => late.signal);
  let asked = 0;
  globalThis.fetch = (_, init) => {
    asked += 1;
    return new Promise((_, fail) => init?.signal?.addEventListener("abort", () => fail(init.signal?.reason)));
  };
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const { keepPanels } = await import("../src/panels/keep.ts");
  const { Unreachable } = await import("../src/city/api.ts");
  const over = new AbortController();
  const problems: unknown[] = [];
  keepPanels(TOPIC, (_, { problem }) => problems.push(problem), over.signal);
  mock.timers.tick(0);
  await settled();
  assert.equal(asked, 2);
  late.abort(new DOMException("too late", "TimeoutError"));
  await settled();
  assert.deepEqual(
    problems.map((problem) => problem instanceof Unreachable),
    [true, true],
  );
  mock.restoreAll();
  mock.timers.tick(10_000);
  await settled();
  over.abort();
  mock.timers.reset();
  assert.equal(asked, 4);
});

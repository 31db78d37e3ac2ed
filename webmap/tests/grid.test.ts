import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  type Act,
  added,
  type Box,
  type Doing,
  doneAgain,
  dropped,
  EMPTY,
  heldUp,
  localCase,
  meaningOf,
  nextAct,
  refusedBy,
  serversId,
} from "../src/grid/acts.ts";
import { bearing_deg, compass, distanceText, nearestFirst } from "../src/grid/near.ts";
import { around, MOST_TILES, tilePath, tilesAt, tilesOf } from "../src/grid/pack.ts";
import { type Answer, type Held, type Post, type Request, send } from "../src/grid/sending.ts";

let seq = 0;
function act(of: string, doing: Doing, key: string): Act {
  seq += 1;
  return { seq, key, owner: "li", of, title: key, at: "2026-11-22T08:00:00Z", doing, refused: null };
}
const report = (key: string): Act => act(localCase(key), { kind: "report", body: { matter: "01" } }, key);
const photo = (of: string, key: string): Act => act(of, { kind: "photo", ofReport: true }, key);
const step = (of: string, key: string, more: Partial<Extract<Doing, { kind: "step" }>> = {}): Act =>
  act(of, { kind: "step", step: "arrive", carries: {}, photos: [], expected: null, ...more }, key);
const boxOf = (...acts: Act[]): Box => acts.reduce(added, EMPTY);

/** A server that is a function: what it was sent, and what it answers. */
function playing(start: Box, answers: (request: Request, n: number) => Answer | null) {
  let box = start;
  const seen: Request[] = [];
  const held: Held = {
    box: async () => box,
    change: async (by) => {
      box = by(box);
    },
    photo: async () => new Blob(["jpeg"], { type: "image/jpeg" }),
  };
  const post: Post = async (request) => {
    seen.push(request);
    return answers(request, seen.length);
  };
  return { held, post, seen, box: () => box };
}
const yes = (json: unknown): Answer => ({ status: 200, retryAfter: null, json });
const filed = (id: string, last: number): Answer => yes({ receipt: { incident: id, step: last, state: "reported" } });
const bodyOf = (request: Request | undefined): Record<string, unknown> => JSON.parse(String(request?.body));

test("what was done is sent in the order in which it was done", async () => {
  const [first, second] = [report("k1"), report("k2")];
  const { held, post, seen } = playing(boxOf(second, photo(first.of, "p1"), first), ({ path }, n) =>
    path.includes("/photos") ? yes({ id: "p" }) : filed(`2026112200000${n}`, 9),
  );
  assert.deepEqual(await send(held, post, 0), { kind: "idle" });
  assert.deepEqual(
    seen.map(({ key }) => key),
    ["k1", "k2", "p1"],
  );
});

test("a photo and a step follow their report under the number that the server gave it", async () => {
  const first = report("k1");
  const taken = photo(first.of, "p1");
  const box = boxOf(first, taken, step(first.of, "s1", { photos: ["p1"], carries: { note: "好了" } }));
  const {
    held,
    post,
    seen,
    box: left,
  } = playing(box, ({ path }) => (path.includes("/photos") ? yes({ id: "abc" }) : filed("20261122000007", 41)));
  await send(held, post, 0);
  assert.equal(seen[1]?.path, "/incidents/20261122000007/photos?step=41");
  assert.equal(seen[1]?.type, "image/jpeg");
  assert.equal(seen[2]?.path, "/incidents/20261122000007/steps");
  assert.deepEqual(bodyOf(seen[2]), { step: "arrive", expected: 41, note: "好了", photos: ["abc"] });
  assert.deepEqual(left(), EMPTY);
});

test("each step says which one was seen last: the worker's own, once that has arrived", async () => {
  const box = boxOf(step("A", "s1", { expected: 5 }), step("A", "s2", { step: "feedback" }));
  const { held, post, seen } = playing(box, () => filed("A", 6));
  await send(held, post, 0);
  assert.deepEqual(
    seen.map((request) => bodyOf(request).expected),
    [5, 6],
  );
});

test("an answer that gets lost is asked for again under the same key, and nothing overtakes it", async () => {
  const { held, post, seen, box } = playing(boxOf(report("k1"), report("k2")), (_, n) =>
    n === 1 ? null : filed(`${n}`, n),
  );
  assert.equal((await send(held, post, 0)).kind, "wait");
  assert.equal(box().acts.length, 2);
  assert.deepEqual(await send(held, post, 1), { kind: "idle" });
  assert.deepEqual(
    seen.map(({ key }) => key),
    ["k1", "k1", "k2"],
  );
});

test("a refusal holds up its own case and no other", async () => {
  const box = boxOf(step("A", "s1", { expected: 1 }), step("B", "s2", { expected: 1 }), step("A", "s3"));
  const stale = {
    status: 409,
    retryAfter: null,
    json: { code: "stale", cause: "step_overtaken", detail: "somebody was quicker" },
  };
  const { held, post, seen, box: left } = playing(box, ({ path }) => (path.includes("/A/") ? stale : filed("B", 2)));
  assert.deepEqual(await send(held, post, 0), { kind: "idle" });
  assert.deepEqual(
    seen.map(({ key }) => key),
    ["s1", "s2"],
  );
  assert.deepEqual(
    left().acts.map(({ key, refused }) => [key, refused?.status ?? null, refused?.told.cause ?? null]),
    [
      ["s1", 409, "step_overtaken"],
      ["s3", null, null],
    ],
  );
  assert.deepEqual(
    heldUp(left()).map(({ key }) => key),
    ["s3"],
  );
});

test("a busy server is left alone for as long as it asks, and who is not signed in sends nothing more", async () => {
  const busy = playing(boxOf(report("k1")), () => ({ status: 503, retryAfter: "40", json: null }));
  assert.deepEqual(await send(busy.held, busy.post, 0), { kind: "wait", ms: 40_000 });
  const strange = playing(boxOf(report("k1"), report("k2")), () => ({ status: 401, retryAfter: null, json: null }));
  assert.deepEqual(await send(strange.held, strange.post, 0), { kind: "who" });
  assert.equal(strange.seen.length, 1);
  assert.equal(strange.box().acts.length, 2);
});

test("a refused act can be given up; without its report nothing of a case is left", () => {
  const first = report("k1");
  const box = boxOf(first, photo(first.of, "p1"), step("B", "s1"));
  const refused = refusedBy(box, first, { status: 422, said: "no", told: {} });
  assert.equal(nextAct(refused)?.key, "s1");
  assert.deepEqual(
    dropped(refused, first).acts.map(({ key }) => key),
    ["s1"],
  );
});

test("who stands by a refused step does it anew: another key, and what was seen since", () => {
  const [one, two] = [step("A", "s1", { expected: 3 }), step("A", "s2")];
  const again = doneAgain(refusedBy(boxOf(one, two), one, { status: 409, said: "", told: {} }), one, {
    key: "s9",
    seen: 8,
  });
  const next = nextAct(again);
  assert.equal(next?.key, "s9");
  assert.equal(next?.doing.kind === "step" && next.doing.expected, 8);
  assert.deepEqual(heldUp(again), []);
});

test("a step whose report is not there any more is told as lost, not sent into nowhere", async () => {
  const { held, post, seen, box } = playing(boxOf(step(localCase("gone"), "s1")), () => filed("A", 1));
  await send(held, post, 0);
  assert.deepEqual(seen, []);
  assert.equal(box().acts[0]?.refused?.told.cause, "grid_lost");
  assert.equal(serversId(box(), localCase("gone")), null);
});

test("an answer's status says whether to go on, wait, sign in or ask the worker", () => {
  const meanings = [200, 201, 204, 401, 403, 404, 408, 409, 413, 415, 422, 425, 429, 500, 502, 503].map((status) => [
    status,
    meaningOf(status),
  ]);
  assert.deepEqual(Object.fromEntries(meanings), {
    ...{ 200: "done", 201: "done", 204: "done", 401: "who", 403: "no", 404: "no", 408: "later", 409: "no" },
    ...{ 413: "no", 415: "no", 422: "no", 425: "later", 429: "later", 500: "later", 502: "later", 503: "later" },
  });
});

test("tasks come nearest first, and by their due times where nobody knows where the phone is", () => {
  const at = (id: string, lon: number, due: string | null) => ({ id, lon, lat: 32, due });
  const tasks = [
    at("far", 121, "2026-11-22T01:00:00Z"),
    at("near", 120.901, null),
    at("mid", 120.91, "2026-11-22T09:00:00Z"),
  ];
  assert.deepEqual(
    nearestFirst(tasks, [120.9, 32]).map(({ id }) => id),
    ["near", "mid", "far"],
  );
  assert.deepEqual(
    nearestFirst(tasks, null).map(({ id }) => id),
    ["far", "mid", "near"],
  );
});

test("directions and distances are told as people say them", () => {
  const here: [number, number] = [120.9, 32];
  assert.equal(compass(bearing_deg(here, [120.9, 32.1])), "n");
  assert.equal(compass(bearing_deg(here, [121, 32])), "e");
  assert.equal(compass(bearing_deg(here, [120.8, 31.915])), "sw");
  assert.equal(compass(359), "n");
  assert.deepEqual([7.2, 318, 1_449, 23_400].map(distanceText), ["7 m", "320 m", "1.4 km", "23 km"]);
});

test("the map of a grid is a bounded set of tiles that covers it at every zoom that is kept", () => {
  const grid: [number, number, number, number] = [120.884, 31.976, 120.896, 31.986];
  const tiles = tilesOf(grid, 16);
  assert.ok(tiles.length > 10 && tiles.length <= MOST_TILES);
  assert.equal(Math.max(...tiles.map(({ z }) => z)), 16);
  assert.ok(tilesAt(grid, 14).some(({ x, y }) => x === 13_694 && y === 6_654));
  assert.ok(tilesOf([120, 31, 122, 33], 16).length <= MOST_TILES, "a whole city is kept from afar only");
  assert.equal(tilePath("/tiles/road/{z}/{x}/{y}.mvt", { z: 14, x: 1, y: 2 }), "/tiles/road/14/1/2.mvt");
  assert.deepEqual(around([grid, [120.9, 31.9, 120.91, 31.98]]), [120.884, 31.9, 120.91, 31.986]);
  assert.equal(around([]), null);
});

const channel = (value: number): number => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => channel(Number.parseInt(hex.slice(at, at + 2), 16) / 255)) as [
    number,
    number,
    number,
  ];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

test("every colour of the phone's texts is read in sunlight: 7 to 1 on both of its grounds", () => {
  const css = readFileSync("src/grid/grid.css", "utf8");
  const colour = (name: string): string => css.match(new RegExp(`--${name}: (#[0-9a-f]{6});`))?.[1] ?? "";
  for (const ground of ["paper", "ground"])
    for (const ink of ["ink", "faint", "act", "late", "soon", "calm"]) {
      const [dark, light] = [luminance(colour(ink)), luminance(colour(ground))];
      assert.ok((light + 0.05) / (dark + 0.05) >= 7, `--${ink} on --${ground}`);
    }
});

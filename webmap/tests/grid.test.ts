import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Offer } from "../src/city/incidents.ts";
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
import { BLANK, missing, reportOf } from "../src/grid/draft.ts";
import { favourites, findMatters } from "../src/grid/matters.ts";
import { bearing_deg, compass, distanceText, nearestFirst } from "../src/grid/near.ts";
import { carriesOf, doable, lacking, openSteps } from "../src/grid/offers.ts";
import { around, MOST_TILES, tilePath, tilesAt, tilesOf } from "../src/grid/pack.ts";
import { fitted } from "../src/grid/photo.ts";
import { doingFor } from "../src/grid/rules.ts";
import { type Answer, type Held, type Post, type Request, send } from "../src/grid/sending.ts";
import { lasts } from "../src/grid/shift.ts";
import { dueText } from "../src/grid/time.ts";

let seq = 0;
function act(of: string, doing: Doing, key: string): Act {
  seq += 1;
  const at = new Date().toISOString();
  return { seq, key, owner: "li", of, title: key, at, exercise: null, doing, refused: null };
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
  const themes = css.split("@media (prefers-color-scheme: dark)");
  assert.equal(themes.length, 2, "by day and by night");
  for (const [number, theme] of themes.entries()) {
    const colour = (name: string): string => theme.match(new RegExp(`--${name}: (#[0-9a-f]{6});`))?.[1] ?? "";
    for (const ground of ["paper", "ground"])
      for (const ink of ["ink", "faint", "act", "late", "soon", "calm"]) {
        const both = [luminance(colour(ink)), luminance(colour(ground))];
        const contrast = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
        assert.ok(contrast >= 7, `--${ink} on --${ground} of theme ${number}: ${contrast}`);
      }
  }
});

const offer = (step: string, more: Partial<Offer> = {}): Offer => {
  const plain = { step, to: null, title: { zh: step, en: step }, allowed: true, why: null, needs: [], takes: [] };
  return { ...plain, reasons: [], findings: [], ...more };
};
const filled = { note: "", reason: "", finding: "", until: "", photos: 0 };

test("what one came to do stands first, and what is not allowed is not offered", () => {
  const offers = [
    offer("note"),
    offer("send_back"),
    offer("arrive"),
    offer("sign"),
    offer("check", { allowed: false }),
  ];
  assert.deepEqual(
    openSteps(offers, []).map((each) => each.step),
    ["sign", "arrive", "note", "send_back"],
  );
});

test("while a step waits to be sent, only what follows it can be done next", () => {
  const waiting = (name: string): Act[] => [step("A", "s", { step: name })];
  const next = (name: string): string[] =>
    openSteps([offer("sign"), offer("arrive")], waiting(name)).map((each) => each.step);
  assert.deepEqual([next("sign"), next("arrive"), next("feedback")], [["arrive"], ["feedback"], []]);
  assert.deepEqual(openSteps([offer("sign")], [photo("A", "p")])[0]?.step, "sign");
});

test("a step asks for what it must carry, and carries what it takes and nothing else", () => {
  const verify = offer("verify", { needs: ["finding", "proof"], takes: ["place"] });
  assert.deepEqual(lacking(verify, filled), ["finding", "proof"]);
  assert.deepEqual(lacking(verify, { ...filled, finding: "as_told", photos: 1 }), []);
  assert.deepEqual(carriesOf(verify, { ...filled, finding: "as_told", note: " 属实 " }, [120.9, 32]), {
    ...{ note: "属实", finding: "as_told", lon: 120.9, lat: 32 },
  });
  assert.deepEqual(carriesOf(offer("close"), { ...filled, note: "x" }, [120.9, 32]), {});
  assert.equal(doable(offer("dispatch", { needs: ["lead"] })), false);
});

test("a report says what, where and why, and a photo is as good as words", () => {
  assert.deepEqual(missing(BLANK), ["matter", "place", "text"]);
  const draft = {
    ...BLANK,
    matter: "01003",
    place: { at: [120.9000001, 32.1] as [number, number], how: "map" as const },
    photos: 1,
  };
  assert.deepEqual(missing(draft), []);
  assert.deepEqual(reportOf(draft, "雨水井盖异常"), {
    ...{ matter: "01003", description: "雨水井盖异常", channel: "worker", level: "general", lon: 120.9, lat: 32.1 },
  });
  assert.equal(reportOf({ ...draft, text: " 翘起 ", urgent: true }, "x").description, "翘起");
});

test("a matter is found by parts of its name or its code, the worker's own first", () => {
  const book = {
    "01002": { zh: "污水井盖异常", en: "Sewage manhole cover fault" },
    "01003": { zh: "雨水井盖异常", en: "Stormwater manhole cover fault" },
    "05001": { zh: "暴露垃圾", en: "Exposed rubbish" },
  };
  assert.deepEqual(findMatters(book, "井盖", { "01003": 4 }), ["01003", "01002"]);
  assert.deepEqual(findMatters(book, "manhole SEWAGE", {}), ["01002"]);
  assert.deepEqual(
    [findMatters(book, "05", {}), findMatters(book, " ", {}), findMatters(book, "桥", {})],
    [["05001"], [], []],
  );
  assert.deepEqual(favourites(book, { "05001": 1, "01003": 4, gone: 9 }), ["01003", "05001"]);
});

test("the service worker keeps the page, its files and the map's words, and leaves everything else to the network", () => {
  const origin = "http://here";
  const doing = (path: string, method = "GET"): string => doingFor(method, new URL(path, origin), origin);
  assert.deepEqual(
    [
      "/grid?lang=en",
      "/assets/a.js",
      "/grid-icon.svg",
      "/layers",
      "/styles/light.json?layers=a",
      "/session",
      "/photos/x",
    ].map((path) => doing(path)),
    ["shell", "file", "file", "news", "news", "news", "photo"],
  );
  for (const path of [
    "/",
    "/desk",
    "/incidents?queue=mine",
    "/session/all",
    "/layers/grid/densities",
    "/live",
    "/accounts",
  ])
    assert.equal(doing(path), "pass", path);
  assert.equal(doing("/incidents", "POST"), "pass");
  assert.equal(doingFor("GET", new URL("http://elsewhere/assets/a.js"), origin), "pass");
});

test("pictures keep their proportions, and small ones their size", () => {
  assert.deepEqual(
    [fitted(3_000, 2_000), fitted(2_000, 4_000), fitted(640, 480), fitted(9_000, 1)],
    [
      ...[
        [1_600, 1_067],
        [800, 1_600],
        [640, 480],
        [1_600, 1],
      ],
    ],
  );
});

test("a shift that nobody ended is over after twelve hours", () => {
  const begun = new Date("2026-11-22T00:00:00Z");
  const after = (hours: number): boolean => lasts(begun, new Date(begun.getTime() + hours * 3_600_000));
  assert.deepEqual([after(-1), after(0), after(11.9), after(12)], [false, true, true, false]);
});

test("what is left of a time limit is told in the unit that one thinks in", () => {
  const now = Date.parse("2026-11-22T08:00:00Z");
  const told = (due: string | null): string => dueText("zh", due, now);
  assert.deepEqual(
    [told(null), told("2026-11-22T08:25:00Z"), told("2026-11-23T11:00:00Z"), told("2026-11-20T07:00:00Z")],
    ["无期限", "剩 25 分钟", "剩 27 小时", "超期 2 天"],
  );
});

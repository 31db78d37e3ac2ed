import assert from "node:assert/strict";
import { test } from "node:test";
import type { Provider } from "../src/city/care.ts";
import {
  type Act,
  added,
  type Box,
  type Doing,
  doneAgain,
  EMPTY,
  happenedAt,
  localCase,
  nextAct,
  refusedBy,
} from "../src/grid/acts.ts";
import { hoursText } from "../src/grid/hours.ts";
import { type Answer, type Held, type Request, send } from "../src/grid/sending.ts";
import { isOpen, suggested } from "../src/grid/serving.ts";
import { happenedText } from "../src/words/happened.ts";

const DONE_AT = "2026-11-22T08:00:00.000Z";
let seq = 0;
const act = (of: string, key: string, doing: Doing): Act => {
  seq += 1;
  return { seq, key, owner: "li", of, title: key, at: DONE_AT, exercise: null, doing, refused: null };
};
const care = (kind: "need" | "visit" | "needStep", more: Partial<Extract<Doing, { fills: unknown }>> = {}): Doing => {
  const path = kind === "needStep" ? "/needs/7/steps" : `/${kind}s`;
  return { kind, path, body: { kind }, fills: [], expected: null, ...more };
};
const boxOf = (...acts: Act[]): Box => acts.reduce(added, EMPTY);

/** A server that is a function, and a phone that remembers numbers. */
function playing(start: Box, answer: (request: Request) => Answer | null, known: Record<string, string> = {}) {
  let box = start;
  const seen: Request[] = [];
  const made = new Map(Object.entries(known));
  const held: Held = {
    box: async () => box,
    change: async (by) => {
      box = by(box);
    },
    photo: async () => undefined,
    made: async (of) => made.get(of),
    remember: async (of, id) => void made.set(of, id),
  };
  const post = async (request: Request) => {
    seen.push(request);
    return answer(request);
  };
  const bodies = (): Record<string, unknown>[] => seen.map(({ body }) => JSON.parse(String(body)));
  return { held, post, seen, bodies, made, box: () => box };
}
const yes = (receipt: unknown): Answer => ({ status: 201, retryAfter: null, json: { receipt } });
const soon = (): number => Date.parse(DONE_AT) + 1_000;
const answers = ({ path }: Request): Answer => {
  if (path === "/incidents") return yes({ incident: "20261122000007", step: 4, state: "reported" });
  return path === "/visits" ? yes({ visit: 3 }) : yes({ need: 12, step: 5, state: "open" });
};

test("a visit names the needs and cases of this phone by the numbers that the server gave them", async () => {
  const [need, report] = [localCase("n1"), localCase("r1")];
  const fills = [
    { field: "needs", of: need, many: true },
    { field: "incidents", of: report, many: true },
    { field: "needs", of: localCase("gone"), many: true },
  ];
  const box = boxOf(
    act(need, "n1", care("need")),
    act(report, "r1", { kind: "report", body: { matter: "01003" } }),
    act(localCase("v1"), "v1", care("visit", { fills })),
  );
  const { held, post, bodies, box: left } = playing(box, answers);
  assert.deepEqual(await send(held, post, 0, soon), { kind: "idle" });
  assert.deepEqual(bodies()[2], { kind: "visit", needs: [12], incidents: ["20261122000007"] });
  assert.deepEqual(left(), EMPTY);
});

test("a need becomes a case only once the case has a number, also when that came earlier", async () => {
  const fills = [{ field: "incident", of: localCase("r1"), many: false }];
  const refer = act("need:7", "s1", care("needStep", { fills, expected: 5 }));
  const known = playing(boxOf(refer), answers, { [localCase("r1")]: "20261122000009" });
  await send(known.held, known.post, 0, soon);
  assert.deepEqual(known.bodies(), [{ kind: "needStep", expected: 5, incident: "20261122000009" }]);
  const lost = playing(boxOf(refer), answers);
  await send(lost.held, lost.post, 0, soon);
  assert.deepEqual(lost.seen, []);
  assert.equal(lost.box().acts[0]?.refused?.told.cause, "grid_lost");
});

test("what names something that was refused waits for it", () => {
  const [report, visit] = [localCase("r1"), localCase("v1")];
  const first = act(report, "r1", { kind: "report", body: {} });
  const fills = [{ field: "incidents", of: report, many: true }];
  const box = boxOf(first, act(visit, "v1", care("visit", { fills })), act("need:7", "s1", care("needStep")));
  const refused = refusedBy(box, first, { status: 422, said: "", told: {} });
  assert.equal(nextAct(refused)?.key, "s1");
});

test("a second step of a need says that the first was seen", async () => {
  const box = boxOf(act("need:12", "s1", care("needStep", { expected: 4 })), act("need:12", "s2", care("needStep")));
  const { held, post, bodies } = playing(box, answers);
  await send(held, post, 0, soon);
  assert.deepEqual(
    bodies().map(({ expected }) => expected),
    [4, 5],
  );
});

test("what is sent late says when it was done, and without where the server would not have it", async () => {
  const late = (): number => Date.parse(DONE_AT) + 3_600_000;
  const report = act(localCase("r1"), "r1", { kind: "report", body: { matter: "01003" } });
  const { held, post, bodies } = playing(boxOf(report), answers);
  await send(held, post, 0, late);
  assert.deepEqual(bodies(), [{ matter: "01003", happened_at: DONE_AT }]);
  assert.deepEqual(happenedAt(report, soon()), {});
  const box = refusedBy(boxOf(report), report, { status: 422, said: "", told: { cause: "happened_ahead" } });
  const [again] = doneAgain(box, box.acts[0] as Act, { key: "k9", seen: null }).acts;
  assert.deepEqual([again?.key, again?.untimed, happenedAt(again as Act, late())], ["k9", true, {}]);
});

test("what arrived late is told with both times, and with a clock that was wrong", () => {
  const [done, arrived] = ["2026-11-22T02:46:00Z", "2026-11-22T03:20:00Z"];
  assert.equal(
    happenedText("zh", done, arrived, 180),
    "（发生于 2026-11-22 10:46，上传于 2026-11-22 11:20，手机时钟快 3 分钟）",
  );
  assert.equal(happenedText("zh", done, arrived, -600).endsWith("手机时钟慢 10 分钟）"), true);
  assert.equal(happenedText("zh", done, "2026-11-22T02:47:00Z", null), "");
  assert.equal(happenedText("en", null, arrived, null), "");
});

const provider = (id: string, more: Partial<Provider> = {}): Provider => ({
  ...{ id, name: id, sort: "canteen", kinds: ["meals"], lon: 120.9, lat: 32, reach_m: 1_000, areas: [] },
  ...{ hours: "", phone: "", open: null, synthetic: true },
  ...more,
});

test("who can serve is told as the server tells it: the nearest first, and who is closed then is left out", () => {
  const friday = [[4, 480, 1_080]] as Provider["open"];
  const every = [
    provider("far", { lon: 120.905, open: [[4, 0, 1_440]] }),
    provider("near", { lon: 120.901 }),
    provider("out-of-reach", { lon: 120.95 }),
    provider("other-kind", { kinds: ["legal"] }),
    provider("closed", { open: [[0, 480, 1_080]] }),
    provider("team", { lon: null, lat: null, reach_m: null, areas: ["320613001"], open: friday }),
    provider("elsewhere", { lon: null, lat: null, reach_m: null, areas: ["320614"] }),
  ];
  const when = new Date("2026-11-20T12:00:00+08:00");
  const wanted = { kind: "meals", at: [120.9, 32] as [number, number], codes: ["320613001001001"], when };
  const { fits, closed } = suggested(every, wanted);
  assert.deepEqual(
    fits.map(({ provider: { id }, byArea, open }) => [id, byArea, open]),
    [
      ["near", false, null],
      ["far", false, true],
      ["team", true, true],
    ],
  );
  assert.equal(closed, 1);
  assert.equal(suggested(every, { ...wanted, when: null }).fits.length, 4);
});

test("hours of a week are the city's, wherever the phone thinks that it is", () => {
  const monday = [[0, 480, 1_050]] as Provider["open"];
  const at = (text: string): boolean | null => isOpen(monday, new Date(`2026-11-${text}+08:00`));
  assert.deepEqual(["16T08:00:00", "16T17:29:59", "16T17:30:00", "16T07:59:00", "15T12:00:00", "23T09:00:00"].map(at), [
    true,
    true,
    false,
    false,
    false,
    true,
  ]);
  assert.equal(isOpen(null, new Date()), null);
});

test("hours are told as people say them", () => {
  const told = (hours: string): string => hoursText("zh", hours);
  assert.deepEqual(
    [
      told("Mo-Fr 08:30-11:30,14:00-17:30; Sa 09:00-12:00"),
      told("Mo-Su 06:30-18:30"),
      told("24/7"),
      told("Sa,Su 09:00-10:00"),
    ],
    ["周一至周五 08:30-11:30、14:00-17:30；周六 09:00-12:00", "每天 06:30-18:30", "全天", "周六、周日 09:00-10:00"],
  );
  assert.equal(hoursText("en", "Mo-Fr 08:00-17:00"), "Mo-Fr 08:00-17:00");
});

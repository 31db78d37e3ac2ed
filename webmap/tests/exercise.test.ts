/** What a phone did in an exercise is sent there and nowhere else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { meant } from "../src/city/api.ts";
import { type Act, added, type Box, EMPTY, localCase, within } from "../src/grid/acts.ts";
import { type Request, send } from "../src/grid/sending.ts";

function acted(exercise: string | null, key: string): Act {
  const seq = Number(key.slice(1));
  const doing = { kind: "report", body: { matter: "01" } } as const;
  return {
    ...{ seq, key, owner: "li", of: localCase(key), title: key, at: "2026-11-22T08:00:00Z" },
    ...{ exercise, doing, refused: null },
  };
}

async function sent(box: Box): Promise<{ requests: Request[]; left: Box }> {
  let held = box;
  const requests: Request[] = [];
  const change = async (by: (before: Box) => Box): Promise<void> => {
    held = by(held);
  };
  const here = "drill-20261122-1";
  await send(
    { box: async () => held, change, photo: async () => undefined },
    async (request) => {
      requests.push(request);
      const taken = request.exercise === here;
      const json = taken
        ? { receipt: { incident: "20261122900001", step: 1 } }
        : { code: "conflict", cause: "exercise_other", detail: "elsewhere" };
      return { status: taken ? 201 : 409, retryAfter: null, json };
    },
    0,
  );
  return { requests, left: held };
}

test("each act says in which exercise it was done, and is refused anywhere else", async () => {
  const acts = [acted("drill-20261122-1", "k1"), acted(null, "k2"), acted("drill-20261122-2", "k3")];
  const { requests, left } = await sent(acts.reduce(added, EMPTY));
  assert.deepEqual(
    requests.map(({ exercise }) => exercise),
    ["drill-20261122-1", null, "drill-20261122-2"],
  );
  assert.deepEqual(
    left.acts.map(({ key, refused }) => [key, refused?.told.cause]),
    [
      ["k2", "exercise_other"],
      ["k3", "exercise_other"],
    ],
  );
});

test("what was done elsewhere is not sent from here", () => {
  const box = [acted("drill-20261122-1", "k1"), acted(null, "k2")].reduce(added, EMPTY);
  const keys = (exercise: string | null) => within(box, exercise).acts.map(({ key }) => key);
  assert.deepEqual([keys(null), keys("drill-20261122-1"), keys("drill-20261122-2")], [["k2"], ["k1"], []]);
});

test("what an earlier release kept was done in reality", async () => {
  const { exercise: _, ...old } = acted(null, "k1");
  const { requests } = await sent(added(EMPTY, old as Act));
  assert.deepEqual(
    requests.map(({ exercise }) => exercise),
    [null],
  );
});

test("reality is named, so that no page asks without saying where it is", () => {
  assert.deepEqual(meant(null), { "Chengtu-Exercise": "none" });
  assert.deepEqual(meant("drill-20261122-1"), { "Chengtu-Exercise": "drill-20261122-1" });
});

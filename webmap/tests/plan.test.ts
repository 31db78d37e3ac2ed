import assert from "node:assert/strict";
import { test } from "node:test";
import type { Summary, SummaryRow } from "../src/city/questions.ts";
import { clausesOf, filterOf } from "../src/plan/clauses.ts";
import { compare } from "../src/plan/compare.ts";
import { asPython } from "../src/plan/elsewhere.ts";
import { asked, countedBy, draftFrom, draftText, lacks, partOf, same } from "../src/plan/question.ts";
import { sizeOf } from "../src/plan/shapes.ts";
import { type Book, bookFrom, NoRoom, write } from "../src/plan/shelf.ts";

test("filters that the form writes are read back into its clauses", () => {
  const clauses = {
    state: { in: ["broken", "lost", null] },
    owner: { in: ["O'Hara"] },
    name: { starts: "5_路%" },
    first_date: { from: "2015-01-01", to: "2020-12-31" },
    lanes: { from: "2" },
    note: { in: [null] },
  };
  const text = filterOf(clauses);
  assert.deepEqual(clausesOf(text), {
    first_date: { from: "2015-01-01", to: "2020-12-31" },
    lanes: { from: "2" },
    name: { starts: "5_路%" },
    note: { in: [null] },
    owner: { in: ["O'Hara"] },
    state: { in: ["broken", "lost", null] },
  });
  assert.equal(filterOf(clausesOf(text) ?? {}), text);
});

test("an equality is a choice of one value, and a filter that says more stays text", () => {
  assert.deepEqual(clausesOf("class_code = '01013' AND state = 'intact'"), {
    class_code: { in: ["01013"] },
    state: { in: ["intact"] },
  });
  assert.deepEqual(clausesOf(undefined), {});
  for (const text of [
    "state <> 'intact'",
    "a = '1' OR b = '2'",
    "(a IN ('1') OR b IS NULL)",
    "name LIKE '%路'",
    "state IN ('a') AND state IN ('b')",
    "id IS NULL",
    "near_m(geom, POINT(1 2), 3)",
  ])
    assert.equal(clausesOf(text), null, text);
});

test("a column without a value says nothing yet", () => {
  assert.equal(filterOf({ state: { in: [] } }), undefined);
  assert.equal(filterOf({ state: { in: [] }, owner: { in: ["x"] } }), "owner IN ('x')");
});

test("AND within a text or in parentheses joins nothing", () => {
  assert.deepEqual(clausesOf("name = 'a AND b' AND state = 'x'"), { name: { in: ["a AND b"] }, state: { in: ["x"] } });
});

test("another kind of question keeps what both have in common", () => {
  const first = { ask: "select" as const, layer: "component", filter: "state = 'lost'", limit: 5 };
  assert.deepEqual(asked("count", first), { ask: "count", layer: "component", filter: "state = 'lost'", by: "class" });
  const around = asked("buffer", first);
  assert.deepEqual(around.records, { layer: "component", filter: "state = 'lost'" });
  assert.deepEqual(asked("select", around), { ask: "select", layer: "component", filter: "state = 'lost'" });
  assert.deepEqual(countedBy({ ask: "count", by: "h3", res: 7 }, "town"), { ask: "count", by: "town" });
  assert.deepEqual(countedBy({ ask: "count", by: "class", class_field: "state" }, "h3"), {
    ask: "count",
    by: "h3",
    res: 8,
  });
});

test("a draft says what it lacks", () => {
  assert.deepEqual(lacks({ ask: "select" }), ["layer"]);
  assert.deepEqual(lacks({ ask: "select", layer: "road", where: [{ relation: "near" }] }), ["area", "distance"]);
  assert.deepEqual(lacks({ ask: "coverage_gap", layer: "grid", distance_m: 30_000 }), ["of", "distance"]);
  assert.deepEqual(lacks({ ask: "route", start: [120, 32] }), ["end"]);
  assert.deepEqual(lacks({ ask: "isochrone", point: [120, 32], minutes: [] }), ["minutes"]);
  assert.deepEqual(lacks({ ask: "buffer", radius_m: 100, geometry: { type: "Point", coordinates: [120, 32] } }), []);
});

test("a draft survives the URL, and a broken link means none", () => {
  const draft = { ask: "select" as const, layer: "place", filter: "name = '50% & #'" };
  assert.deepEqual(draftFrom(`#at=9/32/120&${draftText(draft)}&kept=q-1`), draft);
  assert.equal(partOf(`#${draftText(draft)}&kept=q-1`, "kept"), "q-1");
  assert.equal(draftFrom("#ask=%7B%22ask%22%3A%22sel"), null);
  assert.deepEqual(draftFrom(`#ask=${JSON.stringify(draft).replace("50% & #", "1=1")}`)?.filter, "name = '1=1'");
  assert.equal(draftFrom("#ask=%E4"), null);
  assert.equal(draftFrom("#at=9/32/120"), null);
});

test("questions are the same however their parts are ordered", () => {
  assert.ok(same({ ask: "count", by: "town" }, { by: "town", ask: "count" }));
  assert.ok(!same({ ask: "count", by: "town" }, { ask: "count", by: "grid" }));
  assert.ok(!same([1, 2], [2, 1]));
});

const found = (rows: SummaryRow[], cut = false): Summary => ({ rows, cut, measure: null, classes: null, bars: [] });

test("two runs differ by what came, what went and what has another value", () => {
  const before = found([
    ["a", "A", 1, 120, 32],
    ["b", "B", 5, 120, 32],
    ["c", null, null, null, null],
    ["e", "E", 2, null, null],
  ]);
  const after = found([
    ["b", "B", 7, 121, 33],
    ["c", null, null, null, null],
    ["d", "D", 1, 122, 31],
    ["e", "E", 2.000_000_01, null, null],
  ]);
  assert.deepEqual(compare(before, after), {
    added: [{ key: "d", label: "D", before: null, after: 1, at: [122, 31] }],
    gone: [{ key: "a", label: "A", before: 1, after: null, at: [120, 32] }],
    changed: [{ key: "b", label: "B", before: 5, after: 7, at: [121, 33] }],
    same: 2,
    cut: false,
  });
});

test("rows that share a key count as one, and a run that was cut says so", () => {
  const way = found([
    ["road·x", "x", 10, null, null],
    ["road·x", "x", 15, null, null],
  ]);
  const other = found([["road·x", "x", 25, null, null]], true);
  assert.deepEqual(compare(way, other), { added: [], gone: [], changed: [], same: 1, cut: true });
});

test("a question is told as Python", () => {
  const python = asPython(
    { ask: "select", layer: "place", where: [{ relation: "near", distance_m: 5 }], none: null, on: true },
    "http://city:8000",
    "zh",
  );
  assert.match(python, /city = City\("http:\/\/city:8000", lang="zh"\)/);
  assert.match(python, /where=\[\{"relation": "near", "distance_m": 5\}\],/);
  assert.match(python, /none=None,\n {4}on=True,/);
});

test("drawn shapes tell their size", () => {
  const ring = [
    [120, 32],
    [120.1, 32],
    [120.1, 32.1],
    [120, 32.1],
    [120, 32],
  ];
  assert.equal(sizeOf({ type: "Polygon", coordinates: [ring] }), "105 km²");
  assert.equal(
    sizeOf({
      type: "LineString",
      coordinates: [
        [120, 32],
        [120, 32.1],
      ],
    }),
    "11.1 km",
  );
  assert.equal(sizeOf({ type: "Point", coordinates: [120.123456, 32] }), "120.12346, 32.00000");
});

test("what a browser kept is read back, and nonsense is nothing", () => {
  assert.deepEqual(bookFrom(null), { questions: [], runs: {} });
  assert.deepEqual(bookFrom("[1"), { questions: [], runs: {} });
  assert.deepEqual(bookFrom('{"questions":3,"runs":{"a":[]}}'), { questions: [], runs: { a: [] } });
});

test("a link that the form could not show is no question", () => {
  const read = (draft: unknown) => draftFrom(`#ask=${encodeURIComponent(JSON.stringify(draft))}`);
  for (const draft of [
    [],
    { ask: "select", where: "x" },
    { ask: "select", where: [null] },
    { ask: "select", where: [{ relation: "beyond" }] },
    { ask: "select", layer: 1 },
    { ask: "select", filter: { op: "=" } },
    { ask: "isochrone", minutes: "5" },
    { ask: "nearest", point: [120] },
    { ask: "buffer", geometry: { type: "Polygon" } },
    { ask: "count", per: [] },
  ])
    assert.equal(read(draft), null, JSON.stringify(draft));
  const whole = { ask: "coverage_gap", layer: "grid", of: { layer: "place", where: [{ relation: "near" }] } };
  assert.deepEqual(read(whole), whole);
});

test("a browser without room lets go of the oldest runs, and of questions never", () => {
  const run = (id: number, at: string) => ({ id, at, statement: { zh: "x".repeat(200), en: "" } });
  const book = {
    questions: [{ id: "here-1" }],
    runs: {
      "hydrant-gaps": [run(2, "2026-03-01T08:00:00+08:00"), run(1, "2026-01-01T08:00:00+08:00")],
      "here-1": [run(1, "2026-02-01T00:00:00Z")],
    },
  } as unknown as Book;
  let kept = "";
  const storage = (room: number) => ({
    setItem(_: string, text: string) {
      if (text.length > room) throw new DOMException("full", "QuotaExceededError");
      kept = text;
    },
  });
  write(book, storage(700));
  assert.deepEqual(
    Object.entries(bookFrom(kept).runs).map(([id, runs]) => [id, runs.map((each) => each.id)]),
    [
      ["hydrant-gaps", [2]],
      ["here-1", [1]],
    ],
  );
  write(book, storage(100));
  assert.deepEqual(bookFrom(kept).questions.length, 1);
  assert.throws(() => write(book, storage(10)), NoRoom);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Refused } from "../src/city/api.ts";
import type { Choices, Meanings } from "../src/city/intake.ts";
import {
  joined,
  lacking,
  meaningOf,
  parted,
  remedy,
  same,
  withChoice,
  withCorrection,
  withMeaning,
  withRow,
} from "../src/data/draft.ts";
import { batches, stranger } from "../src/data/files.ts";
import { shareDone } from "../src/data/progress.ts";
import { ownWord, whyIn } from "../src/page/why.ts";

const named = (...names: string[]) => names.map((name) => ({ name }));
const meanings: Meanings = {
  fields: { name: "名称" },
  roles: { id: "编号", lon: "经度", component: "编号" },
  values: {},
};
const choices: Choices = {
  layer: null,
  new_layer: null,
  title: null,
  public: false,
  source: null,
  table: null,
  encoding: null,
  frame: null,
  extent: null,
  swap: false,
  partial: false,
  meanings,
  constants: {},
  corrections: [{ row: 2, column: "名称", value: "甲" }],
};

test("the parts of a Shapefile are one upload, every other file is one by itself", () => {
  const found = batches(named("A.dbf", "a.shp", "b.xlsx", "a.prj", "c.zip"));
  assert.deepEqual(
    found.map(({ name, files, wrong }) => [name, files.length, wrong]),
    [
      ["a.shp", 3, null],
      ["b.xlsx", 1, null],
      ["c.zip", 1, null],
    ],
  );
});

test("what cannot be read is told before it is sent", () => {
  assert.deepEqual(
    batches(named("a.dbf", "b.dwg", "c")).map(({ wrong }) => wrong),
    ["noShp", "unknown", "unknown"],
  );
});

test("a column has one meaning, and a meaning one column", () => {
  const moved = withMeaning(meanings, "经度", { field: "name" });
  assert.deepEqual(moved.fields, { name: "经度" });
  assert.deepEqual(moved.roles, { id: "编号", component: "编号" });
  assert.deepEqual(meaningOf(moved, "经度"), { field: "name" });
  assert.equal(meaningOf(moved, "名称"), null);
  assert.deepEqual(withMeaning(meanings, "编号", null).roles, { lon: "经度" });
});

test("an id counts for more than the clue to a place that it is, too", () => {
  assert.deepEqual(meaningOf(meanings, "编号"), { role: "id" });
});

test("a correction that gives back what the file says falls away, one that was examined already does not", () => {
  const [first] = choices.corrections;
  assert.ok(first);
  const fresh = { row: 3, column: "名称", value: "乙" };
  assert.deepEqual(withCorrection([first], fresh, "丙"), [first, fresh]);
  assert.deepEqual(withCorrection([], { ...fresh, value: "丙" }, "丙"), []);
  assert.deepEqual(withCorrection([first], { ...first, value: "甲" }, "甲"), [first]);
});

test("another layer makes void what was said of columns, another table the corrections as well", () => {
  assert.equal(withChoice(choices, { layer: "place" }).meanings, null);
  assert.equal(withChoice(choices, { layer: "place" }).corrections.length, 1);
  assert.equal(withChoice(choices, { table: "乙" }).corrections.length, 0);
  assert.equal(withChoice(choices, { swap: true }).meanings, meanings);
});

test("the loader's hints become choices", () => {
  assert.deepEqual(remedy("frame", "GCJ-02"), { frame: "GCJ-02" });
  assert.deepEqual(remedy("swap", null), { swap: true });
  assert.deepEqual(remedy("swap", "no"), { swap: false });
  assert.equal(remedy("extent", null), null);
});

test("choices are the same whatever the order of their keys", () => {
  assert.ok(same(choices, { ...Object.fromEntries(Object.entries(choices).reverse()) } as unknown as Choices));
  assert.ok(!same(choices, { ...choices, swap: true }));
});

test("fields that the loader missed are asked for", () => {
  const reason = { zh: "", en: "" };
  const kind = { code: "missing_required", field: "kind", title: null, whole: true, count: 3, reason };
  const finding = {
    code: "unknown_for_all",
    text: reason,
    severity: "note" as const,
    help: [{ option: "set", value: "state" }],
  };
  assert.deepEqual(lacking({ at: 0, choices, tables: null, kinds: [kind], findings: [finding] }), ["kind", "state"]);
});

test("cells of a row that a separator parted are joined, and a forgotten one is put in", () => {
  assert.deepEqual(joined(["1", "甲路", "附近", "好"], 1), ["1", "甲路,附近", "好"]);
  assert.deepEqual(parted(["1", "好", null], 1), ["1", null, "好", null]);
});

test("a ragged row is corrected as a whole, or not at all", () => {
  const other = { row: 2, column: "a", value: "x" };
  const held = withRow([other, { row: 3, column: "a", value: "y" }], 3, [{ column: "a", value: "1" }]);
  assert.deepEqual(held, [other, { row: 3, column: "a", value: "1" }]);
  assert.deepEqual(withRow(held, 3, null), [other]);
});

test("a file that nothing reads is told what it is", () => {
  assert.equal(stranger("图.DWG"), "drawing");
  assert.equal(stranger("a.rar"), "packed");
  assert.equal(stranger("a.xyz"), "unknown_ending");
  assert.equal(stranger("没有扩展名"), "no_ending");
});

test("the bar goes by stages and by the rows of the one at work", () => {
  const work = { kind: "load", state: "running", steps: 4, since: 0, at: 0, step: 2 } as const;
  assert.equal(shareDone(work), 0.25);
  assert.equal(shareDone({ ...work, done: 50, amount: 100 }), 0.375);
  assert.equal(shareDone({ ...work, done: 500, amount: 100 }), 0.5);
  assert.equal(shareDone({ ...work, done: 50, amount: null }), 0.25);
});

test("a refusal is worded by its cause, else by its code, and else told with its status", () => {
  const taken = new Refused(409, "layer 'place' already has a record 'a'", {
    code: "conflict",
    cause: "id_taken",
    facts: { id: "a" },
  });
  assert.equal(whyIn("zh", taken), "编号 a 已被使用，请换一个");
  assert.equal(ownWord(new Refused(413, "the body is too large", { code: "too_large" }), "dataNo"), "dataNo_too_large");
  const busy = new Refused(503, "the database is busy", { code: "unavailable" });
  assert.equal(whyIn("zh", busy), "数据库正忙或无法连接，请稍后再试");
  assert.match(whyIn("zh", new Refused(418, "teapot")), /418：teapot/);
});

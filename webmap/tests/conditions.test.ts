import assert from "node:assert/strict";
import { test } from "node:test";
import { conditionsFrom, sameConditions, toCql2, withClause } from "../src/page/conditions.ts";

test("chosen values, periods and areas become CQL2 in an order that is always the same", () => {
  const period = { from: "2024-01-01", to: "2024-12-31" };
  const one = { state: { in: ["3", "2"] }, installed: period, admin_code: { starts: "320602" } };
  const other = { admin_code: { starts: "320602" }, installed: period, state: { in: ["2", "3"] } };
  const text =
    "admin_code LIKE '320602%' AND installed >= DATE('2024-01-01') AND installed <= DATE('2024-12-31') AND state IN ('2', '3')";
  assert.equal(toCql2(one), text);
  assert.equal(sameConditions(one, other), true);
});

test("a value that is not recorded can be chosen, and no value at all finds nothing", () => {
  assert.equal(toCql2({ owner: { in: ["水务", null] } }), "(owner IN ('水务') OR owner IS NULL)");
  assert.equal(toCql2({ owner: { in: [] } }), "id IS NULL");
  assert.equal(toCql2({}), null);
});

test("quotes and wildcards in values stay what they are", () => {
  assert.equal(toCql2({ name: { in: ["O'Brien"] } }), "name IN ('O''Brien')");
  assert.equal(toCql2({ code: { starts: "10%_" } }), "code LIKE '10\\%\\_%'");
});

test("a clause is replaced or taken away", () => {
  const conditions = withClause({ state: { in: ["1"] } }, "state", { in: ["2"] });
  assert.deepEqual(conditions, { state: { in: ["2"] } });
  assert.deepEqual(withClause(conditions, "state", null), {});
});

test("what a URL brings is read with care", () => {
  const read = conditionsFrom({
    state: { in: ["1", null] },
    "a b": { in: ["1"] },
    n: { from: 3 },
    x: { starts: "32" },
  });
  assert.deepEqual(read, { state: { in: ["1", null] }, x: { starts: "32" } });
  assert.deepEqual(conditionsFrom("nonsense"), {});
});

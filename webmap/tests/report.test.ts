import assert from "node:assert/strict";
import { test } from "node:test";
import { BLANK, missing, reportOf } from "../src/report/draft.ts";
import { findMatters, mattersOf } from "../src/report/matters.ts";
import { fragmentOf, isKey, keptFrom, keyFrom, withKept } from "../src/report/receipts.ts";

const KEY = { id: "20261123000001", ticket: "a".repeat(64) };
const kept = (id: string) => ({ ...KEY, id, title: "路灯", at: "2026-11-23T00:00:00Z" });

test("a report needs words, a matter and a place, and names nobody who did not say who they are", () => {
  assert.deepEqual(missing(BLANK), ["text", "matter", "place"]);
  const draft = { ...BLANK, text: " 路灯坏了 ", matter: "01037", at: [120.1234567891, 32] as [number, number] };
  assert.deepEqual(missing(draft), []);
  const told = { channel: "public", description: "路灯坏了", matter: "01037", lon: 120.123457, lat: 32 };
  assert.deepEqual(reportOf(draft), told);
  assert.deepEqual(reportOf({ ...draft, phone: " 13900001111 ", address: "人民路 1 号" }), {
    ...told,
    address: "人民路 1 号",
    contact: { phone: "13900001111" },
  });
});

test("a matter is found by what people say for it, the shortest name first", () => {
  const service = (code: string, name: string, keywords: string) => ({
    service_code: code,
    service_name: name,
    description: "",
    keywords,
    group: null,
  });
  const matters = mattersOf([
    service("1", "景观路灯异常", "路灯"),
    service("2", "路灯异常", "街灯"),
    service("3", "井盖", ""),
  ]);
  const codes = (text: string): string[] => findMatters(matters, text).map(({ code }) => code);
  assert.deepEqual(codes("路灯"), ["2", "1"]);
  assert.deepEqual(codes("街灯"), ["2"]);
  assert.deepEqual(codes("  "), []);
});

test("a receipt comes back from its link and from the browser, and nothing else does", () => {
  assert.deepEqual(keyFrom(fragmentOf(KEY)), KEY);
  for (const wrong of [
    "",
    "#receipt=",
    "#receipt=1.2",
    `#receipt=${KEY.id}.${"x".repeat(64)}`,
    `#receipt=../..${KEY.ticket}`,
  ])
    assert.equal(keyFrom(wrong), null);
  assert.equal(isKey({ ...KEY, id: "2026112300000a" }), false);
  const one = kept(KEY.id);
  assert.deepEqual(keptFrom(JSON.stringify([one, { id: 1 }, null, { ...one, ticket: "short" }])), [one]);
  for (const nonsense of [null, "", "{", "7"]) assert.deepEqual(keptFrom(nonsense), []);
  const other = kept("20261123000002");
  assert.deepEqual(
    withKept([one, other], { ...other, title: "新" }).map(({ id }) => id),
    [other.id, one.id],
  );
});

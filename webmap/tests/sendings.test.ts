import assert from "node:assert/strict";
import { test } from "node:test";
import type { NoticeSent } from "../src/city/channels.ts";
import { outcomeOf, reasonOf } from "../src/people/outcomes.ts";

const AT = "2026-11-22T08:00:00Z";
const sent = (patch: Partial<NoticeSent>): NoticeSent => ({
  ...{ id: 1, at: AT, tries: 1, next_at: null, sent_at: null, dead_at: null, status: null, error: null },
  ...{ notice: 7, recorded_at: null, incident: null, scenario: null, text: { zh: "催办", en: "Urged" } },
  ...patch,
});

test("a sending was taken, waits, is tried again, was given up, or was only recorded", () => {
  assert.equal(outcomeOf(sent({ sent_at: AT, status: 200 })), "taken");
  assert.equal(outcomeOf(sent({ tries: 0, next_at: AT })), "waiting");
  assert.equal(outcomeOf(sent({ next_at: AT, error: "answered 502", status: 502 })), "retry");
  assert.equal(outcomeOf(sent({ dead_at: AT, error: "answered 502", tries: 7 })), "dead");
  assert.equal(outcomeOf(sent({ dead_at: AT, error: "ended" })), "ended");
  assert.equal(outcomeOf(sent({ recorded_at: AT, scenario: "drill-1" })), "drill");
  assert.equal(outcomeOf(sent({ recorded_at: AT })), "paused");
});

test("why something was not taken is told in words where there are some", () => {
  assert.deepEqual(reasonOf("answered 502"), { name: "sentWhy_answered", n: "502" });
  assert.deepEqual(reasonOf("errcode 93000"), { name: "sentWhy_errcode", n: "93000" });
  assert.equal(reasonOf("ConnectTimeout").name, "sentWhy_timeout");
  assert.equal(reasonOf("ReadTimeout").name, "sentWhy_timeout");
  assert.equal(reasonOf("ConnectError").name, "sentWhy_connect");
  assert.equal(reasonOf("RemoteProtocolError").name, "sentWhy_connect");
  assert.equal(reasonOf("the name has no address").name, "sentWhy_name");
  assert.equal(reasonOf("its address does not open: the key is missing").name, "sentWhy_key");
  assert.equal(reasonOf("status 9").name, null);
  assert.equal(reasonOf(null).name, null);
});

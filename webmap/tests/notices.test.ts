import assert from "node:assert/strict";
import { test } from "node:test";
import { calls, heard, type Inbox, type Notice } from "../src/city/notices.ts";
import { cameSince, markedIn } from "../src/page/notices.ts";

const notice = (id: number, read = false): Notice => ({
  id,
  read,
  kind: "urged",
  incident: "20261122000001",
  at: "2026-11-22T08:00:00Z",
  due_at: null,
  scenario: null,
  title: { zh: "催办", en: "Urged" },
  text: { zh: "催办", en: "Urged" },
});

test("what came is what is unread and was not known, also when its number is lower", () => {
  const now = [notice(9), notice(7, true), notice(5), notice(4)];
  assert.deepEqual(
    cameSince(now, new Set([9, 4])).map(({ id }) => id),
    [5],
  );
  assert.deepEqual(cameSince(now, new Set([4, 5, 7, 9])), []);
});

test("what is marked is counted once", () => {
  const held: Inbox = { notices: [notice(3), notice(2), notice(1, true)], next: null, unread: 5 };
  const once = markedIn(held, [3, 1]);
  assert.equal(once.unread, 4);
  assert.deepEqual(
    once.notices.map(({ read }) => read),
    [true, false, true],
  );
  assert.deepEqual(markedIn(once, [3, 1]), once);
  assert.equal(markedIn({ ...held, unread: 0 }, [2]).unread, 0);
});

test("a stream calls when something came, or may have been missed", () => {
  let called = 0;
  calls.addEventListener("called", () => {
    called += 1;
  });
  for (const event of ["hello", "tiles", "record", "notice", "reset"]) heard(event);
  assert.equal(called, 3);
});

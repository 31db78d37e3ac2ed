import assert from "node:assert/strict";
import { test } from "node:test";
import { messageReader } from "../src/city/events.ts";

const STREAM =
  'id: 7\nevent: tiles\ndata: {"layer":"component",\ndata: "tiles":["13/6861/3315"]}\n\n: alive\n\ndata: 二\n\n';
const TOLD = [
  { event: "tiles", data: '{"layer":"component",\n"tiles":["13/6861/3315"]}', id: "7" },
  { event: "message", data: "二", id: "7" },
];

for (const [name, end] of Object.entries({ LF: "\n", CRLF: "\r\n", CR: "\r" })) {
  const stream = STREAM.replaceAll("\n", end);
  // A CR at the very end may be half of a line end: what follows tells.
  const sent = end === "\r" ? `${stream}:` : stream;
  test(`messages are the same wherever the stream is split, with ${name}`, () => {
    for (let at = 0; at <= sent.length; at++) {
      const read = messageReader();
      assert.deepEqual([...read(sent.slice(0, at)), ...read(sent.slice(at))], TOLD, `split at ${at}`);
    }
    const read = messageReader();
    assert.deepEqual([...sent].flatMap(read), TOLD);
  });
}

test("comments and fields that are not known say nothing", () => {
  assert.deepEqual(messageReader()(": alive\n\nretry: 2000\n\nhuh\n\n"), []);
});

test("an event without data is none, and its name does not stick", () => {
  assert.deepEqual(messageReader()("event: reset\n\ndata: x\n\n"), [{ event: "message", data: "x", id: "" }]);
});

test("one space after the colon is left out, no more", () => {
  assert.deepEqual(
    messageReader()("data:  a\n\ndata:b\n\ndata\n\n").map(({ data }) => data),
    [" a", "b", ""],
  );
});

test("an id holds until another is given", () => {
  const ids = messageReader()("id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\nid: 2\0\ndata: d\n\n").map(({ id }) => id);
  assert.deepEqual(ids, ["1", "1", "", ""]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { filePath } from "../src/city/exchange.ts";

test("a queue goes out as it is filtered, and is not cut into pages", () => {
  const path = filePath({ queue: "area", states: ["accepted"], text: "井盖", limit: 50 }, "xlsx", "steps");
  const [begin, query] = path.split("?");
  assert.equal(begin, "/incidents/export.xlsx");
  const asked = Object.fromEntries(new URLSearchParams(query));
  assert.deepEqual(asked, { queue: "area", state: "accepted", text: "井盖", lines: "steps" });
});

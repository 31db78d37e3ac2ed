import assert from "node:assert/strict";
import { test } from "node:test";
import { moved, put } from "../src/desk/order.ts";

const listed = (name: string) => !name.startsWith("no");
/** As the panel lists them: from the top, without what is not there. */
const panel = (names: readonly string[]) => [...names].reverse().filter(listed);

test("a layer goes where it was dropped, also where the link names layers that do not exist", () => {
  const names = ["nobody", "county", "nowhere", "nothing", "road", "component", "nonsense"];
  assert.deepEqual(panel(names), ["component", "road", "county"]);
  assert.deepEqual(panel(moved(names, "county", 0, listed)), ["county", "component", "road"]);
  assert.deepEqual(panel(moved(names, "county", 1, listed)), ["component", "county", "road"]);
  assert.deepEqual(panel(moved(names, "component", 1, listed)), ["road", "component", "county"]);
  assert.deepEqual(panel(moved(names, "component", 2, listed)), ["road", "county", "component"]);
  assert.deepEqual(moved(names, "component", 2, listed).filter((name) => !listed(name)).length, 4);
});

test("without such names it is the place itself", () => {
  assert.deepEqual(moved(["a", "b", "c"], "a", 0, listed), ["b", "c", "a"]);
  assert.deepEqual(moved(["a", "b", "c"], "c", 2, listed), ["c", "a", "b"]);
  assert.deepEqual(moved(["a", "b", "c"], "b", 1, listed), ["a", "b", "c"]);
});

test("a layer that a search opens comes where the catalogue has it and leaves the others in the order that was chosen", () => {
  const catalogue = ["county", "road", "video", "shelter"].map((name) => ({ name }));
  assert.deepEqual(put(["shelter", "county"], "county", catalogue), ["shelter", "county"]);
  assert.deepEqual(put(["video", "nowhere", "county"], "road", catalogue), ["road", "video", "nowhere", "county"]);
  assert.deepEqual(put(["county", "nowhere"], "shelter", catalogue), ["county", "nowhere", "shelter"]);
});

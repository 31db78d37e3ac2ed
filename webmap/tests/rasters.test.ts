import assert from "node:assert/strict";
import { test } from "node:test";
import { colourStops } from "../src/map/rasters.ts";

const legend = [
  { value: 0, colour: "#000000" },
  { value: 10, colour: "#ffffff" },
];

test("values between two stops are drawn, and told, between their colours", () => {
  assert.equal(colourStops({ legend, steps: false }), "#000000,#ffffff");
});

test("classes have one colour each, with an edge between", () => {
  assert.equal(colourStops({ legend, steps: true }), "#000000 0% 50%,#ffffff 50% 100%");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { DICTIONARY, PARTS, unitWord, type Word, word } from "../src/words/i18n.ts";

const placeholders = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

test("both languages have the same words, none empty, with the same placeholders", () => {
  const { zh, en } = DICTIONARY;
  assert.deepEqual(Object.keys(en), Object.keys(zh));
  for (const name of Object.keys(zh) as Word[]) {
    assert.notEqual(zh[name], "");
    assert.notEqual(en[name], "");
    assert.deepEqual(placeholders(en[name]), placeholders(zh[name]), name);
  }
});

test("no part takes a word of another", () => {
  const names = Object.values(PARTS).flatMap(({ zh }) => Object.keys(zh));
  assert.equal(new Set(names).size, names.length);
});

test("placeholders are filled in", () => {
  assert.equal(word("zh", "hereAre", { n: 3 }), "此处有 3 个对象");
  assert.equal(word("en", "searchNone", { q: "{q}" }).includes("“{q}”"), true);
});

test("Chinese measure words are told in English, units of measure stay", () => {
  assert.equal(unitWord("en", "人"), "people");
  assert.equal(unitWord("en", "km²"), "km²");
  assert.equal(unitWord("zh", "人"), "人");
});

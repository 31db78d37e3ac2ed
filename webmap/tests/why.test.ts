import assert from "node:assert/strict";
import { test } from "node:test";
import { Refused, refusal, type Told, Unreachable } from "../src/city/api.ts";
import { failureIn, Said, whyIn } from "../src/page/why.ts";
import { DICTIONARY } from "../src/words/i18n.ts";

const refused = (told: Told, said = "the server's own words", status = 400): Refused => new Refused(status, said, told);

test("a refusal is a sentence of the page, by its cause, else by its code", () => {
  assert.equal(whyIn("zh", refused({ code: "too_busy" })), "服务器正忙，请稍后再试");
  assert.equal(failureIn("zh", refused({ code: "not_drawn" })), "未能载入：地图没有画成；请缩小范围或减少图层后再试");
  assert.equal(whyIn("en", refused({ code: "too_busy" })), "The server is busy: try again shortly");
  const filter = { code: "bad_filter", cause: "filter_property", line: 1, column: 4, about: "stat" };
  assert.equal(whyIn("zh", refused(filter)), "过滤条件第 1 行第 4 列：图层没有可用于过滤的字段“stat”");
  assert.equal(
    whyIn("zh", refused({ code: "invalid_request", problems: { limit: "x", k: "y" } })),
    "填写的内容不合要求：limit、k",
  );
});

test("the server's own words are quoted only where they are all there is", () => {
  const quoting = Object.entries(DICTIONARY.zh).filter(
    ([name, text]) => name.startsWith("why") && text.includes("{said}"),
  );
  assert.deepEqual(
    quoting.map(([name]) => name),
    ["whyOther", "whyBroken", "why_filter_syntax", "why_bad_upload", "why_bad_filter"],
  );
  assert.equal(whyIn("zh", refused({}, "teapot", 418)), "服务器没有接受（418：teapot）");
});

test("a cause that the page has no words for is told in the server's, in the language of the page", () => {
  const words = { zh: "期限须在一年之内", en: "Within a year" };
  const told = { code: "bad_field", cause: "until_wrong", words };
  assert.equal(whyIn("zh", refused(told)), words.zh);
  assert.equal(whyIn("en", refused(told)), words.en);
  const known = { code: "conflict", cause: "callback_done", words };
  assert.equal(whyIn("zh", refused(known)), "这位来电人已经回访过");
});

test("a server that does not answer is told as such, also by the gateway before it", async () => {
  assert.equal(failureIn("zh", new Unreachable("/")), DICTIONARY.zh.unreachable);
  assert.ok((await refusal(new Response("<h1>Bad gateway</h1>", { status: 502 }))) instanceof Unreachable);
});

test("what a page refuses by itself is told as it is", () => {
  assert.equal(whyIn("zh", new Said("存不下了")), "存不下了");
  assert.equal(whyIn("zh", new TypeError("x is not a function")), "页面出错（x is not a function）");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { atOnce, carriesOf, lacking, NOTHING_FILLED, partsOf } from "../src/cases/carried.ts";
import { clockOf, span } from "../src/cases/clock.ts";
import { inCommon } from "../src/cases/common.ts";
import { pressed, STEP_KEYS } from "../src/cases/keys.ts";
import { conditionsOf } from "../src/cases/layered.ts";
import { asked, homeOf, NO_FILTERS, type Place, placeFrom, placeText, START } from "../src/cases/place.ts";
import { begun, continued, neighbour, refreshed } from "../src/cases/rows.ts";
import { type Brief, type Offer, queuePath } from "../src/city/incidents.ts";
import { toCql2 } from "../src/page/conditions.ts";

const NOW = Date.parse("2026-11-22T08:00:00Z");
const brief = (id: string, patch: Partial<Brief> = {}): Brief => ({
  id,
  title: `案 ${id}`,
  matter: "01001",
  state: "reported",
  level: "general",
  light: "green",
  channel: "hotline",
  line: null,
  lead: null,
  co: [],
  address: null,
  admin_code: null,
  grid_id: null,
  lon: 120.9,
  lat: 32,
  reported_at: "2026-11-22T07:00:00Z",
  due_at: null,
  stage_due_at: null,
  suspended: false,
  command: 0,
  returns: 0,
  reworks: 0,
  urges: 0,
  deferrals: 0,
  assignee: null,
  merged_into: null,
  scenario: null,
  ...patch,
});
const offer = (patch: Partial<Offer>): Offer => ({
  step: "accept",
  title: { zh: "受理", en: "Accept" },
  to: null,
  allowed: true,
  why: null,
  needs: [],
  takes: [],
  reasons: [],
  findings: [],
  ...patch,
});
const ids = (rows: readonly Brief[]): string[] => rows.map(({ id }) => id);

test("a place is the same after its way through the URL, and nonsense in a URL is left out", () => {
  const place: Place = {
    tab: "overdue",
    filters: { ...NO_FILTERS, state: ["dispatched", "disposing"], lead: "cgj", text: "井盖 & 路灯" },
    beside: { kind: "case", id: "20261122000012" },
  };
  assert.deepEqual(placeFrom(`#${placeText(place)}&lang=en`), place);
  assert.deepEqual(placeFrom(`#${placeText({ ...START, beside: { kind: "intake" } })}`).beside, { kind: "intake" });
  assert.equal(placeText(START), "tab=new");
  assert.equal(placeFrom("#lang=en", "mine").tab, "mine");
  assert.deepEqual(placeFrom("#tab=none&state=gone,closed&lead=%3Cb%3E&case=../x").filters.state, ["closed"]);
  assert.equal(placeFrom("#lead=%3Cb%3E").filters.lead, "");
  assert.equal(placeFrom("#case=../x").beside, null);
  assert.equal(placeFrom("#tab=none").tab, "new");
});

test("everyone begins with the queue that is theirs", () => {
  assert.equal(homeOf({ rights: ["incident.view", "incident.dispatch"], departments: ["cgj"] }), "new");
  assert.equal(homeOf({ rights: ["incident.view"], departments: ["cgj"] }), "department");
  assert.equal(homeOf({ rights: ["incident.view"], departments: [] }), "mine");
});

test("a tab asks for the states that it is for, and a filter by state has the last word", () => {
  assert.deepEqual(asked(START).states, ["reported", "verified", "accepted", "registered"]);
  assert.equal(asked({ ...START, tab: "mine" }).states?.includes("closed"), false);
  assert.deepEqual(asked({ tab: "new", filters: { ...NO_FILTERS, state: ["closed"] } }).states, ["closed"]);
  const path = queuePath({
    ...asked({ tab: "overdue", filters: { ...NO_FILTERS, lead: "cgj", text: "a&b" } }),
    limit: 10,
  });
  const query = new URL(path, "http://desk").searchParams;
  assert.deepEqual([query.get("queue"), query.get("lead"), query.get("text")], ["overdue", "cgj", "a&b"]);
});

test("the map shows what the queue asks for; of queues that only the server knows, the listed cases", () => {
  assert.equal(toCql2(conditionsOf({ tab: "mine", filters: NO_FILTERS }, ["1", "2"])), "id IN ('1', '2')");
  const late = toCql2(conditionsOf({ tab: "overdue", filters: { ...NO_FILTERS, town: "320602" } }, []));
  assert.match(late ?? "", /^admin_code LIKE '320602%' AND light IN \('red'\) AND state IN/);
});

test("what changes stays in its row, what has left is marked, what is new waits", () => {
  const rows = begun([brief("a"), brief("b"), brief("c")], null);
  const next = refreshed(rows, [brief("n"), brief("c", { title: "changed" }), brief("a")], true);
  assert.deepEqual(ids(next.shown), ["a", "b", "c"]);
  assert.equal(next.shown[2]?.title, "changed");
  assert.deepEqual([...next.gone], ["b"]);
  assert.deepEqual(ids(next.fresh), ["n"]);
  assert.deepEqual([...refreshed(next, [brief("a"), brief("b"), brief("c")], true).gone], []);
});

test("of a queue that goes on, rows beyond what was told are not taken for gone", () => {
  const rows = continued(begun([brief("a"), brief("b")], "2"), [brief("b"), brief("c"), brief("d")], null);
  assert.deepEqual(ids(rows.shown), ["a", "b", "c", "d"]);
  const next = refreshed(rows, [brief("a"), brief("n")], false);
  assert.deepEqual([...next.gone], ["b"]);
});

test("the keyboard stops at the ends of the queue", () => {
  const shown = [brief("a"), brief("b")];
  assert.equal(neighbour(shown, null, 1), "a");
  assert.equal(neighbour(shown, null, -1), "b");
  assert.equal(neighbour(shown, "b", 1), "b");
  assert.equal(neighbour(shown, "a", 1), "b");
  assert.equal(neighbour([], "a", 1), null);
});

test("time is told in its largest unit, ahead and over; a suspended case has none", () => {
  assert.equal(clockOf("zh", brief("a", { due_at: "2026-11-22T11:30:00Z" }), NOW).words, "剩 3 小时");
  assert.equal(clockOf("zh", brief("a", { due_at: "2026-11-20T07:00:00Z" }), NOW).words, "超期 2 天");
  const stage = brief("a", { due_at: "2026-11-29T08:00:00Z", stage_due_at: "2026-11-22T08:20:00Z" });
  assert.equal(clockOf("en", stage, NOW).words, "20 min left");
  assert.equal(clockOf("zh", { ...stage, suspended: true }, NOW).kind, "paused");
  assert.deepEqual(clockOf("zh", brief("a"), NOW), { words: "", kind: "none" });
  assert.equal(clockOf("zh", { ...stage, state: "closed" }, NOW).kind, "none");
  assert.equal(span("zh", 47 * 3_600_000), "47 小时");
});

test("a form has the parts that a step takes, says what lacks, and sends nothing else", () => {
  const verify = offer({ needs: ["finding", "proof"], takes: ["place"] });
  assert.deepEqual(partsOf(verify), ["finding", "note", "photo"]);
  assert.deepEqual(lacking(verify, { ...NOTHING_FILLED, note: "  " }), ["finding", "proof"]);
  const filled = { ...NOTHING_FILLED, finding: "as_told", note: " 属实 ", lead: "cgj", until: "2026-11-23T18:00" };
  assert.deepEqual(lacking(verify, filled), []);
  assert.deepEqual(carriesOf(verify, filled), { finding: "as_told", note: "属实" });
  assert.deepEqual(carriesOf(offer({ needs: ["until"], takes: [] }), filled), { until: "2026-11-23T18:00:00+08:00" });
});

test("a step that needs nothing is taken at once; one that may name a department asks", () => {
  assert.equal(atOnce(offer({ takes: ["note", "photo", "matter", "level"] })), true);
  assert.equal(atOnce(offer({ takes: ["lead", "co", "note"] })), false);
  assert.equal(atOnce(offer({ needs: ["note"] })), false);
});

test("keys mean one thing each, and none where Ctrl is held", () => {
  assert.deepEqual(pressed({ key: "j", ctrlKey: false, altKey: false, metaKey: false, shiftKey: false }), {
    act: "down",
  });
  assert.deepEqual(pressed({ key: "A", ctrlKey: false, altKey: false, metaKey: false, shiftKey: false }), {
    step: "accept",
    fill: false,
  });
  assert.equal(pressed({ key: "c", ctrlKey: true, altKey: false, metaKey: false, shiftKey: false }), null);
  const shifted = { key: "A", ctrlKey: false, altKey: false, metaKey: false, shiftKey: true };
  assert.deepEqual(pressed(shifted), { step: "accept", fill: true });
  const letters = Object.values(STEP_KEYS);
  assert.equal(new Set(letters).size, letters.length);
  const taken = letters.filter(
    (key) => "act" in (pressed({ key, ctrlKey: false, altKey: false, metaKey: false, shiftKey: false }) ?? {}),
  );
  assert.deepEqual(taken, []);
});

test("several cases have in common what each of them allows", () => {
  const [accept, urge] = [offer({}), offer({ step: "urge" })];
  const shown = inCommon([
    [accept, urge, offer({ step: "check", needs: ["photo"] })],
    [{ ...accept, allowed: false }, urge, offer({ step: "check" })],
  ]);
  assert.deepEqual(
    shown.map(({ step }) => step),
    ["urge"],
  );
  assert.deepEqual(inCommon([]), []);
});

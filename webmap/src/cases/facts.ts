/** What is known of a case, in words: what, where, when, by which way it came, and its clocks. */
import type { Incident } from "../city/incidents.ts";
import { fill, h } from "../page/dom.ts";
import { moment } from "../words/format.ts";
import { type Bench, codeWord } from "./bench.ts";

const CODES = ["matter", "channel", "appeal"] as const;
const TIMES = ["reported_at", "accepted_at", "registered_at", "dispatched_at", "signed_at", "disposed_at"] as const;
const LATER = ["checked_at", "closed_at"] as const;
const COUNTED = ["returns", "reworks", "urges", "deferrals"] as const;

export function factsView(bench: Bench, incident: Incident): HTMLElement {
  const { app, layer } = bench;
  const { lang } = app.store.get();
  const title = (name: string): string => {
    const found = layer.fields.find((field) => field.name === name);
    return found === undefined ? name : app.title(found.title);
  };
  const rows: [string, string][] = [];
  const add = (label: string, value: string | null): void => {
    if (value !== null && value !== "") rows.push([label, value]);
  };
  for (const name of CODES) add(title(name), incident[name] === null ? null : codeWord(bench, name, incident[name]));
  add(title("line"), incident.line);
  add(title("component_id"), incident.component_id);
  add(title("address"), incident.address);
  add(app.t("caseGrid"), incident.grid_id);
  add(app.t("caseAssignee"), incident.assignee);
  add(title("due_at"), incident.due_at && moment(lang, incident.due_at));
  if (incident.stage_due_at !== incident.due_at)
    add(app.t("caseStageDue"), incident.stage_due_at && moment(lang, incident.stage_due_at));
  if (incident.suspended) add(title("suspended"), app.t("casePausedWhy"));
  if (incident.command > 0) add(title("command"), app.t(incident.command === 1 ? "caseCommand_1" : "caseCommand_2"));
  for (const name of COUNTED) if (incident[name] > 0) add(title(name), String(incident[name]));
  add(title("merged_into"), incident.merged_into);
  const times = [...TIMES, ...LATER].flatMap((name) => {
    const at = incident[name];
    return at === null ? [] : [[title(name), moment(lang, at)] as const];
  });
  const list = h("dl", { class: "facts" });
  const pair = ([name, value]: readonly [string, string]): HTMLElement[] => [h("dt", {}, name), h("dd", {}, value)];
  fill(list, ...rows.flatMap(pair));
  const clock = h("dl", { class: "facts" });
  fill(clock, ...times.flatMap(pair));
  return h(
    "section",
    { class: "about" },
    incident.description !== null && h("p", { class: "words" }, incident.description),
    list,
    h("details", { class: "times" }, h("summary", {}, app.t("caseTimes")), clock),
  );
}

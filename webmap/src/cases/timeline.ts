/** Every step that a case took, the newest first: what, who, when, and what was said. */
import type { Step } from "../city/incidents.ts";
import { h } from "../page/dom.ts";
import { moment } from "../words/format.ts";
import { carriedTime } from "../words/happened.ts";
import { type Bench, codeWord, departmentWord, findingWord, reasonWord } from "./bench.ts";

export function timelineView(bench: Bench, steps: readonly Step[]): HTMLElement {
  const { app } = bench;
  const newest = [...steps].sort((a, b) => b.id - a.id);
  return h(
    "section",
    { class: "timeline" },
    h("h3", {}, app.t("caseSteps", { n: steps.length })),
    h("ol", {}, ...newest.map((step) => line(bench, step))),
  );
}

function line(bench: Bench, step: Step): HTMLLIElement {
  const { app } = bench;
  const { lang } = app.store.get();
  const who = [step.actor, departmentWord(bench, step.department)].filter(Boolean).join(" · ");
  const moved = step.before !== step.after && codeWord(bench, "state", step.after);
  return h(
    "li",
    { data: { step: step.step } },
    h("time", { dateTime: step.at }, moment(lang, step.at)),
    h("p", {}, h("b", {}, app.title(step.title)), moved ? h("span", { class: "after" }, `→ ${moved}`) : null),
    h("p", { class: "who" }, who),
    step.note !== null && h("p", { class: "note" }, step.note),
    ...carried(bench, step),
  );
}

function carried(bench: Bench, { at, carries }: Step): HTMLElement[] {
  const { app } = bench;
  const { lang } = app.store.get();
  const told: string[] = [];
  const late = carriedTime(lang, at, carries);
  if (late !== "") told.push(late);
  if (carries.lead) told.push(app.t("caseLedBy", { who: departmentWord(bench, carries.lead) }));
  if (carries.co && carries.co.length > 0)
    told.push(
      app.t("caseHelping", { who: carries.co.map((code) => departmentWord(bench, code)).join(app.t("listComma")) }),
    );
  if (carries.until) told.push(app.t("caseUntil", { time: moment(lang, carries.until) }));
  if (carries.assignee) told.push(app.t("caseGoes", { who: carries.assignee }));
  if (carries.into) told.push(app.t("caseInto", { id: carries.into }));
  if (carries.reason) told.push(reasonWord(bench, carries.reason));
  if (carries.finding) told.push(findingWord(bench, carries.finding));
  return told.map((text) => h("p", { class: "carried" }, text));
}

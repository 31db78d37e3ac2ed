/** A case as one row of the queue. */
import type { Brief } from "../city/incidents.ts";
import { h } from "../page/dom.ts";
import { moment } from "../words/format.ts";
import { type Bench, codeWord, departmentWord, lightSign } from "./bench.ts";
import { clockOf, dueOf } from "./clock.ts";

export interface RowLook {
  open: boolean;
  chosen: boolean;
  gone: boolean;
  now: number;
}

export interface RowActs {
  open(id: string): void;
  choose(id: string, on: boolean): void;
  /** The pointer or the focus is on it, or left it. */
  point(id: string | null): void;
}

export function rowOf(bench: Bench, brief: Brief, look: RowLook, acts: RowActs): HTMLLIElement {
  const { app } = bench;
  const box = h("input", {
    type: "checkbox",
    checked: look.chosen,
    tabIndex: -1,
    aria: { label: app.t("caseChoose", { title: brief.title }) },
  });
  box.onchange = () => acts.choose(brief.id, box.checked);
  const open = h(
    "button",
    { type: "button", class: "open", data: { key: brief.id } },
    h(
      "span",
      { class: "first-line" },
      lightSign(bench, brief.light),
      brief.level !== "general" &&
        h("b", { class: "level", data: { level: brief.level } }, codeWord(bench, "level", brief.level)),
      h("b", { class: "name" }, brief.title),
      timeLeft(bench, brief, look.now),
    ),
    h("span", { class: "second-line" }, ...secondLine(bench, brief)),
    brief.handed_over
      ? h("span", { class: "handed-over" }, h("b", {}, app.t("caseHandedOver")), " ", brief.handed_over)
      : null,
    look.gone && h("span", { class: "moved" }, app.t("caseMoved")),
  );
  open.onclick = () => acts.open(brief.id);
  open.onfocus = () => acts.point(brief.id);
  if (look.open) open.setAttribute("aria-current", "true");
  const row = h(
    "li",
    { class: "case-row", data: { id: brief.id, light: brief.light } },
    h("label", { class: "pick" }, box),
    open,
  );
  row.classList.toggle("gone", look.gone);
  row.classList.toggle("chosen", look.chosen);
  row.onpointerenter = () => acts.point(brief.id);
  row.onpointerleave = () => acts.point(null);
  return row;
}

export function timeLeft({ app }: Bench, brief: Brief, now: number): HTMLElement {
  const { lang } = app.store.get();
  const clock = clockOf(lang, brief, now);
  const due = dueOf(brief);
  const title = due === null ? "" : app.t("caseDueAt", { time: moment(lang, due) });
  return h("span", { class: "left-time", data: { kind: clock.kind, due: due ?? "" }, title }, clock.words);
}

function secondLine(bench: Bench, brief: Brief): HTMLElement[] {
  const lead = departmentWord(bench, brief.lead);
  const way = lead === "" ? codeWord(bench, "channel", brief.channel) : lead;
  const parts = [codeWord(bench, "state", brief.state), way, brief.address ?? brief.area ?? ""].filter(Boolean);
  return [
    h("span", { class: "state", data: { state: brief.state } }, parts.shift() ?? ""),
    h("span", { class: "where" }, parts.join(" · ")),
    h("span", { class: "number" }, brief.id),
  ];
}

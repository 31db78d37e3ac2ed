/** A small form made from what a step must and may carry. */

import { responsible } from "../city/departments.ts";
import type { Carries, Case, Offer } from "../city/incidents.ts";
import * as incidents from "../city/incidents.ts";
import { LEVELS, type Level } from "../city/incidents.ts";
import { newKey } from "../city/items.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { type Bench, button, codeWord, needWord } from "./bench.ts";
import { carriesOf, type Filled, lacking, NOTHING_FILLED, type Part, partsOf } from "./carried.ts";
import { assigneeChoice, departmentChoice, departmentsChoice, matterChoice } from "./choosing.ts";

const MOST_NOTE = 2000;

/** Sends a step; tells what went wrong, or null. */
export type Send = (carries: Carries, key: string) => Promise<string | null>;

interface Making {
  bench: Bench;
  of: Pick<Case, "incident"> | null;
  offer: Offer;
  filled: Filled;
  set(patch: Partial<Filled>): void;
}

/** Draw the form into an element; `of` is null where the step is taken for many cases. */
export function formFor(
  element: HTMLElement,
  bench: Bench,
  of: Pick<Case, "incident"> | null,
  offer: Offer,
  send: Send,
): void {
  const { app } = bench;
  let filled: Filled = NOTHING_FILLED;
  // One key for one filling in: pressed twice, it is taken once.
  let key = newKey();
  const wrong = h("p", { class: "wrong", role: "alert" });
  const making: Making = {
    bench,
    of,
    offer,
    get filled() {
      return filled;
    },
    set(patch) {
      filled = { ...filled, ...patch };
      key = newKey();
    },
  };
  const submit = h("button", { type: "submit", class: "primary" }, app.title(offer.title));
  const form = h(
    "form",
    { aria: { label: app.title(offer.title) } },
    h("h3", {}, app.title(offer.title)),
    ...partsOf(offer)
      .filter((part) => of !== null || part !== "photo")
      .map((part) => field(part, making)),
    wrong,
    h(
      "footer",
      {},
      button(app.t("cancel"), () => fill(element)),
      submit,
    ),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    const lacks = lacking(offer, filled);
    if (lacks.length > 0) {
      wrong.textContent = app.t("caseLacks", {
        what: lacks.map((need) => needWord(bench, need)).join(app.t("listComma")),
      });
      form.querySelector<HTMLElement>(`[data-part="${lacks[0]}"]`)?.focus();
      return;
    }
    submit.disabled = true;
    wrong.textContent = "";
    void send(carriesOf(offer, filled), key).then((told) => {
      submit.disabled = false;
      wrong.textContent = told ?? "";
    });
  };
  form.onkeydown = (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      fill(element);
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  };
  fill(element, form);
  form.querySelector<HTMLElement>("textarea, select, input")?.focus();
  form.scrollIntoView({ block: "nearest" });
}

function field(part: Part, making: Making): HTMLElement {
  const { bench, offer } = making;
  const { app } = bench;
  const id = `step-${part}`;
  const must = offer.needs.includes(part) || (offer.needs.includes("proof") && part === "note");
  const label = needWord(bench, part) + (must ? "" : app.t("caseOptional"));
  const control = CONTROLS[part](making, id);
  return h("div", { class: "field" }, h("label", { htmlFor: id }, label), ...control);
}

const CONTROLS: Record<Part, (making: Making, id: string) => HTMLElement[]> = {
  note: ({ set }, id) => {
    const area = h("textarea", { id, rows: 3, maxLength: MOST_NOTE, data: { part: "note" } });
    area.oninput = () => set({ note: area.value });
    return [area];
  },
  reason: ({ bench, offer, set }, id) => [
    chooser(
      id,
      "reason",
      bench.app.t("caseChooseOne"),
      offer.reasons.map((each) => [each.code, bench.app.title(each.title)]),
      (reason) => set({ reason }),
    ),
  ],
  finding: ({ bench, offer, set }, id) => [
    chooser(
      id,
      "finding",
      bench.app.t("caseChooseOne"),
      offer.findings.map((each) => [each.code, bench.app.title(each.title)]),
      (finding) => set({ finding }),
    ),
  ],
  until: ({ set }, id) => {
    const input = h("input", { id, type: "datetime-local", data: { part: "until" } });
    input.oninput = () => set({ until: input.value });
    return [input];
  },
  lead: leadField,
  co: ({ bench, set }, id) => [departmentsChoice(bench, id, (co) => set({ co }))],
  assignee: assigneeField,
  into: (making, id) => [written(making, id, "into")],
  matter: ({ bench, set }, id) => [matterChoice(bench, id, "", (matter) => set({ matter }))],
  level: ({ bench, set }, id) => [
    chooser(
      id,
      "level",
      bench.app.t("caseAsItIs"),
      LEVELS.map((level) => [level, codeWord(bench, "level", level)]),
      (level) => set({ level: level as Level | "" }),
    ),
  ],
  photo: photoField,
};

function chooser(
  id: string,
  part: string,
  none: string,
  options: readonly (readonly [code: string, words: string])[],
  chosen: (code: string) => void,
): HTMLElement {
  const select = h(
    "select",
    { id, data: { part } },
    h("option", { value: "" }, none),
    ...options.map(([value, words]) => h("option", { value }, words)),
  );
  select.onchange = () => chosen(select.value);
  return select;
}

function written({ set }: Making, id: string, part: "assignee" | "into"): HTMLElement {
  const input = h("input", { id, maxLength: 64, autocomplete: "off", data: { part } });
  input.oninput = () => set({ [part]: input.value });
  return input;
}

/** Who goes: those who may are offered, the nearest first; of several cases at once by the account's name alone. */
function assigneeField(making: Making, id: string): HTMLElement[] {
  const { bench, of, set } = making;
  if (of === null) return [written(making, id, "assignee")];
  return [assigneeChoice(bench, of.incident.id, id, (assignee) => set({ assignee }))];
}

/** Left empty, the case goes to whom the duties name: they are told, with the reasons. */
function leadField({ bench, of, set }: Making, id: string): HTMLElement[] {
  const { app } = bench;
  const proposal = h("p", { class: "hint" });
  const choice = departmentChoice(bench, id, "", (lead) => set({ lead }));
  if (of !== null)
    responsible(of.incident).then(
      ({ lead, why: reasons }) => {
        const told = app.t("caseProposed", { who: app.title(lead.title) });
        proposal.textContent = [told, ...reasons.map((each) => app.title(each))].join(app.t("caseSemicolon"));
      },
      (error: unknown) => {
        proposal.textContent = why(app, error);
      },
    );
  return [choice, proposal];
}

function photoField({ bench, of, set }: Making, id: string): HTMLElement[] {
  const { app } = bench;
  const input = h("input", {
    id,
    type: "file",
    accept: "image/jpeg,image/png,image/webp",
    multiple: true,
    data: { part: "photo" },
  });
  const told = h("p", { class: "hint", role: "status" });
  const taken: string[] = [];
  input.onchange = async () => {
    if (of === null) return;
    for (const file of input.files ?? []) {
      told.textContent = app.t("casePhotoSending", { name: file.name });
      try {
        taken.push((await incidents.addPhoto(of.incident.id, file)).id);
        set({ photos: [...taken] });
        told.textContent = app.t("casePhotosTaken", { n: taken.length });
      } catch (error) {
        told.textContent = `${file.name}：${why(app, error)}`;
      }
    }
    input.value = "";
  };
  return [input, told];
}

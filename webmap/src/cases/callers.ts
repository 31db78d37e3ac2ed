/** Who told of a case: masked, and unmasked only for a purpose that is recorded. */
import { purposes, unmask } from "../city/callers.ts";
import type { Caller } from "../city/incidents.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { moment } from "../words/format.ts";
import { type Bench, button, codeWord } from "./bench.ts";

const PARTS = ["name", "phone", "home"] as const;

export function callersView(bench: Bench, callers: readonly Caller[]): HTMLElement | null {
  const { app } = bench;
  if (callers.length === 0) return null;
  return h(
    "section",
    { class: "callers" },
    h("h3", {}, app.t("caseCallers", { n: callers.length })),
    h("ul", {}, ...callers.map((caller) => callerLine(bench, caller))),
  );
}

function callerLine(bench: Bench, caller: Caller): HTMLLIElement {
  const { app } = bench;
  const { lang } = app.store.get();
  const person = h("p", { class: "person" }, personWords(caller) || app.t("caseAnonymous"));
  const asking = h("div", {});
  const way = [codeWord(bench, "channel", caller.channel), caller.line ?? "", moment(lang, caller.at)].filter(Boolean);
  const reveal = button(app.t("caseUnmask"), () => askPurpose(bench, caller, person, asking), "link");
  return h(
    "li",
    {},
    person,
    h("p", { class: "hint" }, way.join(" · ")),
    caller.reached_at !== null && h("p", { class: "hint" }, calledBack(bench, caller)),
    PARTS.some((part) => caller[part] !== null) && reveal,
    asking,
  );
}

const personWords = (person: Partial<Record<(typeof PARTS)[number], string | null>>): string =>
  PARTS.map((part) => person[part])
    .filter(Boolean)
    .join(" · ");

function calledBack({ app }: Bench, { reached_at, solved, satisfied }: Caller): string {
  const word = (told: boolean | null): string => (told === null ? "–" : app.t(told ? "yes" : "no"));
  return app.t("caseCalledBack", {
    time: moment(app.store.get().lang, reached_at ?? ""),
    solved: word(solved),
    satisfied: word(satisfied),
  });
}

function askPurpose(bench: Bench, caller: Caller, person: HTMLElement, element: HTMLElement): void {
  const { app } = bench;
  const id = `purpose-${caller.id}`;
  const input = h("input", { id, minLength: 4, maxLength: 200, required: true, autocomplete: "off" });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const offered = h("div", { class: "chips" });
  const read = (purpose: string): void => {
    unmask(caller.id, purpose).then(
      (told) => {
        person.textContent = personWords(told);
        fill(element);
      },
      (error: unknown) => {
        wrong.textContent = why(app, error);
      },
    );
  };
  purposes().then(
    (told) => fill(offered, ...told.purposes.map((each) => button(app.title(each), () => read(each.code), "chip"))),
    (error: unknown) => {
      wrong.textContent = why(app, error);
    },
  );
  const form = h(
    "form",
    { class: "purpose" },
    h("p", { class: "hint" }, app.t("casePurposeWhy")),
    offered,
    h("label", { htmlFor: id }, app.t("casePurpose")),
    input,
    wrong,
    h(
      "footer",
      {},
      button(app.t("cancel"), () => fill(element)),
      h("button", { type: "submit", class: "primary" }, app.t("caseUnmask")),
    ),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    read(input.value.trim());
  };
  fill(element, form);
  input.focus();
}

/** Departments and matters, chosen by typing a part of their names. */

import { type Assignee, assignees } from "../city/incidents.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import type { Title } from "../words/i18n.ts";
import { type Bench, button, departmentWord } from "./bench.ts";

const MOST_SHOWN = 12;
const MOST_CO = 5;
/** A class of the standard in force; shorter codes are its major classes, and those of the one before. */
export const CLASS = /^\d{5}$/;

interface Named {
  code: string;
  words: string;
}

/** An input that offers what its text is a part of; `chosen` hears a code, or "" while there is none. */
function choice(
  id: string,
  { part, given, options, label }: { part: string; given: string; options: readonly Named[]; label?: string },
  chosen: (code: string) => void,
): HTMLElement {
  const list = `${id}-list`;
  const own = options.find(({ code }) => code === given);
  const input = h("input", { id, value: own?.words ?? "", autocomplete: "off", maxLength: 64, data: { part } });
  input.setAttribute("list", list);
  if (label !== undefined) input.setAttribute("aria-label", label);
  const offered = h("datalist", { id: list });
  const offer = (): void => {
    const text = input.value.trim();
    const near = options.filter(({ code, words }) => words.includes(text) || code.startsWith(text));
    fill(offered, ...near.slice(0, MOST_SHOWN).map(({ words }) => h("option", { value: words })));
  };
  input.oninput = () => {
    offer();
    const text = input.value.trim();
    chosen(options.find(({ code, words }) => words === text || code === text)?.code ?? "");
  };
  offer();
  return h("span", { class: "choosing" }, input, offered);
}

const named = ({ app, departments }: Bench): Named[] =>
  departments.map(({ code, title }) => ({ code, words: app.title(title) }));

export const departmentChoice = (
  bench: Bench,
  id: string,
  given: string,
  chosen: (code: string) => void,
): HTMLElement => choice(id, { part: "lead", given, options: named(bench) }, chosen);

/** Several departments that help. */
export function departmentsChoice(bench: Bench, id: string, chosen: (codes: string[]) => void): HTMLElement {
  const { app } = bench;
  const codes: string[] = [];
  const list = h("span", { class: "chips" });
  const entry = h("span", {});
  const draw = (): void => {
    const chips = codes.map((code) =>
      button(
        `${departmentWord(bench, code)} ×`,
        () => {
          codes.splice(codes.indexOf(code), 1);
          change();
        },
        "chip",
      ),
    );
    fill(list, ...chips);
    const take = (code: string): void => {
      if (code === "" || codes.includes(code) || codes.length >= MOST_CO) return;
      codes.push(code);
      change();
    };
    fill(entry, choice(id, { part: "co", given: "", options: named(bench) }, take));
  };
  const change = (): void => {
    draw();
    chosen([...codes]);
    entry.querySelector("input")?.focus();
  };
  draw();
  return h("span", { class: "several", title: app.t("caseMostCo", { n: MOST_CO }) }, list, entry);
}

/** People of whom the server says that they may be given a case; `chosen` hears an account's name. */
export function assigneeChoice(bench: Bench, of: string, id: string, chosen: (login: string) => void): HTMLElement {
  const { app } = bench;
  const list = `${id}-list`;
  const input = h("input", { id, autocomplete: "off", maxLength: 64, data: { part: "assignee" } });
  input.setAttribute("list", list);
  const offered = h("datalist", { id: list });
  const told = h("span", { class: "hint", role: "status" });
  let known: readonly Assignee[] = [];
  let asking = new AbortController();
  const words = ({ name, login }: Assignee): string => `${name} ${login}`;
  const choose = (): void => {
    const text = input.value.trim();
    chosen(known.find((each) => words(each) === text)?.login ?? text);
  };
  const ask = (): void => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    assignees(of, input.value.trim(), signal).then(
      (found) => {
        if (signal.aborted) return;
        known = found;
        const options = found.map((each) => {
          const option = h("option", { value: words(each) });
          option.label = app.t(`caseNear_${each.near}`);
          return option;
        });
        fill(offered, ...options);
        told.textContent = found.length === 0 ? app.t("caseNobodyFits") : "";
      },
      (error: unknown) => {
        if (!signal.aborted) told.textContent = why(app, error);
      },
    );
  };
  input.oninput = () => {
    choose();
    if (!known.some((each) => words(each) === input.value.trim())) ask();
  };
  ask();
  return h("span", { class: "choosing" }, input, offered, told);
}

/** A matter of the book, by its words or its code. */
export function matterChoice(
  { app, layer }: Bench,
  id: string,
  given: string,
  chosen: (code: string) => void,
): HTMLElement {
  const book: Record<string, Title> = layer.books.matter ?? {};
  const options = Object.entries(book)
    .filter(([code]) => CLASS.test(code))
    .map(([code, title]) => ({ code, words: app.title(title) }));
  return choice(id, { part: "matter", given, options, label: app.t("caseOtherMatter") }, chosen);
}

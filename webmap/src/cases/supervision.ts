/** Who is late: overdue cases by department and by town, as bars that are doors to their lists; urged by one click. */
import type { Named } from "../city/api.ts";
import { densities } from "../city/densities.ts";
import { facets } from "../city/facets.ts";
import { fill, h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import { attempt, type Bench, button, codeWord, departmentWord } from "./bench.ts";
import { type Filters, NO_FILTERS, OPEN } from "./place.ts";

const MOST_BARS = 12;
const LATE = `light = 'red' AND state IN (${OPEN.map((state) => `'${state}'`).join(", ")})`;

export interface SupervisionView {
  element: HTMLElement;
  load(): Promise<void>;
}

interface Count {
  /** null: of none. */
  code: string | null;
  words: string;
  n: number;
}

/** `urge` is given what the list of a department would be asked for, and what it is called. */
export function supervisionView(
  bench: Bench,
  areas: () => Promise<readonly Named[]>,
  urge: (filters: Filters, words: string) => void,
): SupervisionView {
  const { app } = bench;
  const element = h("section", { class: "supervision", aria: { labelledby: "supervision-title" } });
  let asking = new AbortController();
  const door = (patch: Partial<Filters>): void => bench.go({ tab: "overdue", filters: { ...NO_FILTERS, ...patch } });
  const load = async (signal: AbortSignal): Promise<void> => {
    const [{ facets: found, total }, inTowns, names] = await Promise.all([
      facets("incident", LATE, signal),
      densities("incident", "town", LATE, signal),
      areas(),
    ]);
    const counts = (column: string, words: (code: string | null) => string): Count[] =>
      (found.find((each) => each.column === column)?.values ?? []).map(({ value, count }) => ({
        code: value,
        words: words(value),
        n: count,
      }));
    const departments = counts("lead", (code) => (code === null ? app.t("caseNobody") : departmentWord(bench, code)));
    const levels = counts("level", (code) => codeWord(bench, "level", code ?? ""));
    const towns = inTowns.areas
      .filter(({ n }) => n > 0)
      .sort((a, b) => b.n - a.n)
      .map(({ id, n }) => ({ code: id, words: names.find((each) => each.id === id)?.name ?? id, n }));
    const figure = h(
      "button",
      { type: "button", class: "figure", onclick: () => door({}) },
      h("b", {}, number(app.store.get().lang, total)),
      h("span", {}, app.t("caseOverdueNow")),
    );
    fill(
      element,
      h("h2", { id: "supervision-title", class: "hidden-text" }, app.t("caseTab_supervision")),
      figure,
      bars(bench, app.t("caseByLevel"), levels, (code) => door({ level: [code] })),
      bars(
        bench,
        app.t("caseByDepartment"),
        departments,
        (code) => door({ lead: code }),
        (code, words) => urge({ ...NO_FILTERS, lead: code }, words),
      ),
      bars(
        bench,
        app.t("caseByTown"),
        towns,
        (code) => door({ town: code }),
        (code, words) => urge({ ...NO_FILTERS, town: code }, words),
      ),
    );
  };
  return {
    element,
    load: () => {
      asking.abort();
      asking = new AbortController();
      const { signal } = asking;
      return attempt(bench, () => load(signal));
    },
  };
}

function bars(
  { app }: Bench,
  title: string,
  counts: readonly Count[],
  door: (code: string) => void,
  urge?: (code: string, words: string) => void,
): HTMLElement {
  const { lang } = app.store.get();
  const most = Math.max(1, ...counts.map(({ n }) => n));
  const lines = counts.slice(0, MOST_BARS).map(({ code, words, n }) => {
    const bar = h("i", { class: "bar", aria: { hidden: "true" } });
    bar.style.setProperty("--share", String(n / most));
    const inside = [h("span", { class: "name" }, words), bar, h("b", {}, number(lang, n))];
    const line =
      code === null
        ? h("span", { class: "bar-door" }, ...inside)
        : h("button", { type: "button", class: "bar-door", title: words, onclick: () => door(code) }, ...inside);
    const push = urge !== undefined && code !== null && button(app.t("caseUrgeAll"), () => urge(code, words), "link");
    if (push) push.setAttribute("aria-label", `${app.t("caseUrgeAll")} ${words}`);
    return h("li", {}, line, push);
  });
  const rest = counts.length - lines.length;
  return h(
    "section",
    { class: "bars" },
    h("h3", {}, title),
    lines.length > 0 ? h("ul", {}, ...lines) : h("p", { class: "empty" }, app.t("caseNoneLate")),
    rest > 0 && h("p", { class: "hint" }, app.t("caseBarsMore", { n: number(lang, rest) })),
  );
}

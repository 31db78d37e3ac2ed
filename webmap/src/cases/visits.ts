/** The log of visits at the desk: how many each area had in a period, by kind, and the visits themselves. */
import type { Named } from "../city/api.ts";
import * as api from "../city/care.ts";
import { type CareWords, careWords, type Visit, type VisitCount } from "../city/care.ts";
import { fill, h } from "../page/dom.ts";
import { moment, number } from "../words/format.ts";
import { attempt, type Bench, button } from "./bench.ts";
import { daysOf, PERIODS, type PeriodName, spanOf } from "./days.ts";
import { caseLink, entryTitle, placeWords, select } from "./entries.ts";

const MOST_LINES = 200;

export interface VisitsView {
  element: HTMLElement;
  load(): Promise<void>;
  redraw(): void;
}

export function visitsView(bench: Bench, areas: () => Promise<readonly Named[]>): VisitsView {
  const { app } = bench;
  const element = h("div", { class: "visits" });
  const counts = h("div", {});
  const list = h("ol", { class: "rows visit-rows" });
  const title = h("h3", { class: "due-title" });
  const foot = h("div", { class: "queue-foot" });
  let period: PeriodName = "thirty";
  let by: api.VisitedBy = "town";
  let area = "";
  let words: CareWords | null = null;
  let named: readonly Named[] = [];
  let counted: readonly VisitCount[] = [];
  let shown: readonly Visit[] = [];
  let next: number | null = null;
  let asking = new AbortController();

  const span = (): api.Span => spanOf(daysOf(period, Date.now()));
  const mayCount = app.city.who.rights.includes("visit.view");
  const load = (): Promise<void> => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    return attempt(bench, async () => {
      words ??= await careWords();
      if (named.length === 0) named = await areas();
      const [told, page] = await Promise.all([
        mayCount ? api.visitCounts(by, span(), signal) : { counts: [] },
        api.visitsIn(span(), area, null, signal),
      ]);
      counted = told.counts;
      shown = page.visits;
      next = page.next;
      draw();
    });
  };
  const more = (): Promise<void> =>
    attempt(bench, async () => {
      const page = await api.visitsIn(span(), area, next, asking.signal);
      shown = [...shown, ...page.visits];
      next = page.next;
      draw();
    });
  const within = (code: string): void => {
    area = code;
    void load();
  };
  const nameOf = (code: string): string =>
    placeWords(bench, { grid_id: code.length > 9 ? code : null, admin_code: code }, named) || code;
  const countRow = ({ area: code, visits, kinds }: VisitCount): HTMLElement => {
    const { lang } = app.store.get();
    const each = Object.entries(kinds)
      .sort(([, a], [, b]) => b - a)
      .map(([kind, n]) => `${entryTitle(bench, words?.visits, kind)} ${number(lang, n)}`);
    const door = button(nameOf(code), () => within(code), "link");
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, door),
      h("td", { class: "kinds" }, each.join(app.t("listComma"))),
      h("td", {}, number(lang, visits)),
    );
  };
  const rowOf = (visit: Visit): HTMLLIElement => {
    const { lang } = app.store.get();
    const needs = visit.needs.map((id) =>
      button(app.t("visitNeed", { id }), () => bench.go({ beside: { kind: "need", id } }), "link"),
    );
    const cases = visit.incidents.map((id) => caseLink(bench, id));
    return h(
      "li",
      { class: "visit-row", data: { visit: String(visit.id) } },
      h(
        "p",
        { class: "first-line" },
        h("b", { class: "name" }, entryTitle(bench, words?.visits, visit.kind)),
        h("span", { class: "hint" }, moment(lang, visit.visited_at)),
      ),
      h(
        "p",
        { class: "second-line" },
        h("span", { class: "state" }, entryTitle(bench, words?.outcomes, visit.outcome)),
        h("span", { class: "where" }, placeWords(bench, visit, named)),
        visit.scenario !== null && h("b", { class: "badge" }, app.t("needDrill")),
      ),
      visit.words !== null && h("p", {}, visit.words),
      needs.length + cases.length > 0 && h("p", { class: "with-links" }, ...needs, ...cases),
    );
  };
  const table = (): HTMLElement => {
    const { lang } = app.store.get();
    const total = counted.reduce((n, { visits }) => n + visits, 0);
    const columns = [app.t(`visitsBy_${by}`), app.t("visitsKinds"), app.t("visitsCount")];
    return h(
      "div",
      { class: "visit-counts" },
      h(
        "p",
        {},
        h("b", {}, app.t("visitsTotal", { n: number(lang, total) })),
        " ",
        h("span", { class: "hint" }, app.t("visitsWhy")),
      ),
      h(
        "details",
        { class: "rate-groups", open: true },
        h("summary", {}, app.t(`visitsEach_${by}`, { n: number(lang, counted.length) })),
        h(
          "table",
          {},
          h("thead", {}, h("tr", {}, ...columns.map((text) => h("th", { scope: "col" }, text)))),
          h("tbody", {}, ...counted.slice(0, MOST_LINES).map(countRow)),
        ),
      ),
    );
  };
  const draw = (): void => {
    const periods = PERIODS.map((name) => [name, app.t(`ratePeriod_${name}`)] as const);
    const ways = api.VISITED_BY.map((name) => [name, app.t(`visitsBy_${name}`)] as const);
    const head = h(
      "div",
      { class: "need-filters" },
      select(bench, "visitsPeriod", periods, period, (value) => {
        period = PERIODS.find((name) => name === value) ?? period;
        void load();
      }),
      mayCount &&
        select(bench, "visitsBy", ways, by, (value) => {
          by = api.VISITED_BY.find((name) => name === value) ?? by;
          void load();
        }),
    );
    fill(counts, head, mayCount && counted.length > 0 && table());
    const whole = area !== "" && button(app.t("visitsShowAll"), () => within(""), "link");
    fill(title, area === "" ? app.t("visitsAll") : app.t("visitsOf", { area: nameOf(area) }), " ", whole);
    fill(list, ...shown.map(rowOf));
    fill(
      foot,
      shown.length === 0 && h("p", { class: "empty" }, app.t("visitsNone")),
      next !== null && button(app.t("needsMore"), () => void more(), "outlined more"),
    );
  };
  fill(element, counts, title, list, foot);
  return { element, load, redraw: draw };
}

/** The three rates of the hotline (三率): each with what it was made of, and what was left out. */
import * as api from "../city/callbacks.ts";
import { fill, h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import { attempt, type Bench, button } from "./bench.ts";
import { showBulletin } from "./bulletin.ts";
import { daysOf, PERIODS, type PeriodName } from "./days.ts";

const THREE = ["response", "solved", "satisfied"] as const;
const LEFT_OUT = ["without_number", "unreachable", "outside_remit", "repeats"] as const;
const MOST_LINES = 30;
const ATTEMPTS = 3;

export interface RatesView {
  element: HTMLElement;
  load(): Promise<void>;
  /** After how many calls in vain somebody is not called any more. */
  attempts(): number;
  redraw(): void;
}

export function ratesView(bench: Bench): RatesView {
  const { app } = bench;
  const element = h("section", { class: "rates", aria: { labelledby: "rates-title" } });
  const figures = h("div", { class: "three" });
  const rest = h("div", {});
  let period: PeriodName = "thirty";
  let by: api.By = "department";
  let told: api.Rates | null = null;
  let asking = new AbortController();

  const load = (): Promise<void> => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    element.setAttribute("aria-busy", "true");
    return attempt(bench, async () => {
      told = await api.rates(daysOf(period, Date.now()), by, signal);
      draw();
    }).finally(() => {
      if (!signal.aborted) element.removeAttribute("aria-busy");
    });
  };
  const figure = (name: (typeof THREE)[number], { rate, numerator, denominator }: api.Rate): HTMLElement => {
    const { lang } = app.store.get();
    return h(
      "div",
      { class: "rate", title: app.t(`rate_${name}Why`, { hours: told?.rules.contact_hours ?? "" }) },
      h("span", { class: "hint" }, app.t(`rate_${name}`)),
      h("b", {}, percent(bench, rate)),
      h("span", { class: "hint" }, `${number(lang, numerator)} / ${number(lang, denominator)}`),
    );
  };
  const draw = (): void => {
    if (told === null) return;
    const { lang } = app.store.get();
    const { total, groups } = told;
    fill(figures, ...THREE.map((name) => figure(name, total[name])));
    const out = LEFT_OUT.filter((name) => total.exclusions[name] > 0).map((name) =>
      app.t(`rateOut_${name}`, { n: number(lang, total.exclusions[name]), days: told?.rules.repeat_days ?? "" }),
    );
    const pending = total.pending > 0 && app.t("ratePending", { n: number(lang, total.pending) });
    const outWords = out.length === 0 ? app.t("rateOutNone") : app.t("rateOut", { what: out.join(app.t("listComma")) });
    fill(
      rest,
      h("p", { class: "hint left-out" }, [outWords, pending].filter(Boolean).join(app.t("caseSemicolon"))),
      groups.length > 0 && tableOf(bench, told),
    );
  };
  const select = <Name extends string>(
    label: string,
    names: readonly Name[],
    now: Name,
    chosen: (name: Name) => void,
    wordOf: (name: Name) => string,
  ): HTMLElement => {
    const box = h(
      "select",
      { aria: { label } },
      ...names.map((value) => h("option", { value, selected: value === now }, wordOf(value))),
    );
    box.onchange = () => {
      const found = names.find((name) => name === box.value);
      if (found !== undefined) chosen(found);
      void load();
    };
    return box;
  };
  const head = (): void =>
    fill(
      element,
      h(
        "header",
        {},
        h("h3", { id: "rates-title" }, app.t("rateTitle")),
        select(
          app.t("ratePeriod"),
          PERIODS,
          period,
          (name) => {
            period = name;
          },
          (name) => app.t(`ratePeriod_${name}`),
        ),
        select(
          app.t("rateBy"),
          api.BYS,
          by,
          (name) => {
            by = name;
          },
          (name) => app.t(`rateBy_${name}`),
        ),
        button(app.t("bulletin"), () => showBulletin(bench), "link"),
      ),
      figures,
      rest,
    );
  head();
  return {
    element,
    load,
    attempts: () => told?.rules.attempts ?? ATTEMPTS,
    redraw() {
      head();
      draw();
    },
  };
}

/** "93.3%", or a dash where nothing was counted. */
export const percent = ({ app }: Bench, rate: number | null): string =>
  rate === null ? "–" : `${number(app.store.get().lang, rate * 100, 1)}%`;

function tableOf(bench: Bench, { by, groups, rules }: api.Rates): HTMLElement {
  const { app } = bench;
  const { lang } = app.store.get();
  const cell = ({ rate, numerator, denominator }: api.Rate, low: boolean): HTMLElement =>
    h(
      "td",
      { data: { low: String(low) } },
      percent(bench, rate),
      h("small", {}, `${number(lang, numerator)}/${number(lang, denominator)}`),
    );
  const lines = groups
    .slice(0, MOST_LINES)
    .map((one) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, one.title === null ? (one.key ?? app.t("rateNone")) : app.title(one.title)),
        ...THREE.map((name) =>
          cell(one[name], name === "satisfied" && one.satisfied.rate !== null && one.satisfied.rate < rules.floor),
        ),
      ),
    );
  const rest = groups.length - lines.length;
  return h(
    "details",
    { class: "rate-groups" },
    h("summary", {}, app.t(`rateEach_${by}`, { n: number(lang, groups.length) })),
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, app.t(`rateBy_${by}`)),
          ...THREE.map((name) => h("th", { scope: "col" }, app.t(`rate_${name}`))),
        ),
      ),
      h("tbody", {}, ...lines),
    ),
    rest > 0 && h("p", { class: "hint" }, app.t("caseBarsMore", { n: number(lang, rest) })),
  );
}

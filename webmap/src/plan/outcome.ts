/** The answer beside the map: how much, a chart, a table, and what can be done with it. */
import type { Plan } from "../city/questions.ts";
import { boundsOf } from "../map/geometry.ts";
import { fill, h } from "../page/dom.ts";
import { moment, number } from "../words/format.ts";
import { drawActions } from "./actions.ts";
import type { Answer, Row } from "./answer.ts";
import type { Bench } from "./bench.ts";
import { drawChart } from "./chart.ts";
import type { Compared } from "./compare.ts";
import { drawComparison } from "./comparing.ts";
import { button } from "./controls.ts";
import type { AnswerMap } from "./drawing.ts";
import type { Link } from "./link.ts";
import { comeTo, goOnAt, goToQuestion } from "./stacked.ts";
import { drawTable } from "./table.ts";

const CLOSE_ZOOM = 16;

export interface Outcome {
  show(answer: Answer, plan: Plan | null): void;
  compare(compared: Compared): void;
}

export function outcome(
  element: HTMLElement,
  bench: Bench,
  link: Link,
  drawn: AnswerMap,
  keep: (answer: Answer, title: string) => Promise<void>,
): Outcome {
  const { app, cityMap } = bench;
  const head = h("header", { class: "answer-head" });
  const chart = h("div", { class: "chart" });
  const table = h("div", { class: "table", tabIndex: 0, role: "region" });
  const body = h("div", { class: "answer-body" }, chart, table);
  const picked = h("div", { class: "picked-note", hidden: true });
  let answer: Answer | null = null;
  let plan: Plan | null = null;
  let compared: Compared | null = null;
  let refreshers: (() => void)[] = [];
  link.on(() => {
    for (const refresh of refreshers) refresh();
  });

  const goTo = ({ geometry }: Row): void => {
    if (geometry === null) return;
    const bounds = boundsOf(geometry);
    const [west, south, east, north] = bounds;
    const zoom = Math.max(cityMap.map.getZoom(), CLOSE_ZOOM);
    cityMap.goTo({ lon: (west + east) / 2, lat: (south + north) / 2, bounds, zoom });
    comeTo(element.parentElement); // the map is above the answer
  };
  // The map must know its new size before it is moved.
  const unfold = (): void => {
    element.classList.add("full");
    cityMap.map.resize();
  };
  // The map stands above the answer, and both belong to it.
  const arrived = (): void => goOnAt(element.parentElement, element.querySelector("h2"));
  const showPicked = (): void => {
    const n = link.picked().size;
    picked.hidden = n === 0;
    const { lang } = app.store.get();
    fill(
      picked,
      app.t("planPicked", { n: number(lang, n) }),
      button(app.t("planUnpick"), () => link.clear(), { class: "outlined" }),
    );
  };
  const backToAnswer = (): void => {
    compared = null;
    drawn.compare(null);
    drawn.show(answer);
    draw();
    arrived();
  };
  const goToPlace = ([lon, lat]: [number, number]): void => {
    cityMap.goTo({ lon, lat, zoom: CLOSE_ZOOM });
    comeTo(element.parentElement);
  };
  const draw = (): void => {
    if (compared !== null) {
      drawComparison(element, app, compared, goToPlace, backToAnswer);
      return;
    }
    if (answer === null) {
      fill(element, h("p", { class: "empty not-yet" }, app.t("planResultNotYet")));
      return;
    }
    const now = answer;
    drawHead(head, bench, now, plan, (title) => keep(now, title), picked);
    table.setAttribute("aria-label", app.t("planTable"));
    const nothing = now.rows.length === 0;
    fill(element, head, nothing ? h("p", { class: "empty" }, app.t("planEmpty")) : body);
    refreshers = nothing
      ? []
      : [drawChart(chart, app, now, link, drawn), drawTable(table, app, now, link, goTo), showPicked];
    showPicked();
  };
  app.store.on(["lang"], draw);
  draw();
  return {
    show(next, told) {
      answer = next;
      plan = told;
      compared = null;
      refreshers = [];
      link.clear();
      unfold();
      drawn.compare(null);
      drawn.show(next);
      draw();
      arrived();
    },
    compare(next) {
      compared = next;
      refreshers = [];
      link.clear();
      unfold();
      drawn.show(null);
      drawn.compare(next.found);
      draw();
      arrived();
    },
  };
}

function drawHead(
  element: HTMLElement,
  bench: Bench,
  answer: Answer,
  plan: Plan | null,
  keep: (title: string) => Promise<void>,
  picked: HTMLElement,
): void {
  const { app } = bench;
  const { lang } = app.store.get();
  const { page } = answer;
  const actions = h("div", { class: "actions" });
  drawActions(actions, bench, answer, plan, keep);
  const counted = page.columns.some(({ name }) => name === "n");
  const sum = answer.rows.reduce((total, { properties }) => total + (Number(properties.n) || 0), 0);
  const single = counted && page.columns[0]?.name === "n";
  const total = counted && !answer.partial && !page.truncated;
  const facts = [
    app.t("planMadeAt", { time: moment(lang, page.madeAt) }),
    total && !single ? app.t("planTotal", { n: number(lang, sum) }) : "",
  ].filter(Boolean);
  fill(
    element,
    h("p", { class: "figure" }, single ? number(lang, sum) : app.t("planRows", { n: number(lang, page.count) })),
    h(
      "div",
      { class: "told" },
      h("h2", { tabIndex: 0 }, app.title(page.statement)),
      h(
        "p",
        { class: "detail" },
        facts.join(" · "),
        page.synthetic ? h("strong", { class: "badge" }, app.t("synthetic")) : null,
      ),
      page.truncated ? h("p", { class: "cut", role: "note" }, app.t("planCut", { n: number(lang, page.count) })) : null,
      answer.partial
        ? h("p", { class: "cut", role: "note" }, app.t("planCutTable", { n: number(lang, answer.rows.length) }))
        : null,
      picked,
    ),
    actions,
    button(app.t("planToQuestion"), goToQuestion, { class: "outlined to-question" }),
  );
}

/** Two runs side by side, as a table: what came, what went, what has another value. */

import type { Run } from "../city/questions.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import type { Changed, Compared } from "./compare.ts";
import { button } from "./controls.ts";
import { SIGNS } from "./drawing.ts";
import { goToQuestion } from "./stacked.ts";

const MOST = 500;

export function drawComparison(
  element: HTMLElement,
  app: App,
  { title, earlier, later, timeOf, found: comparison }: Compared,
  goTo: (place: [number, number]) => void,
  back: () => void,
): void {
  const { lang } = app.store.get();
  const words = { added: app.t("planAdded"), gone: app.t("planGone"), changed: app.t("planChanged") };
  const value = (given: number | null): string => (given === null ? "–" : number(lang, given, 4));
  const kinds = (["added", "gone", "changed"] as const).map((state) => ({ state, list: comparison[state] }));
  const line = (state: keyof typeof SIGNS, each: Changed): HTMLElement => {
    const { at } = each;
    const name = at === null ? each.label : button(each.label, () => goTo(at), { class: "row-name" });
    return h(
      "tr",
      { class: state },
      h("th", { scope: "row" }, name),
      h("td", {}, `${SIGNS[state]} ${words[state]}`),
      h("td", { class: "number" }, value(each.before)),
      h("td", { class: "number" }, value(each.after)),
    );
  };
  const lines = kinds.flatMap(({ state, list }) => list.map((each) => line(state, each)));
  const ran = (run: Run): string => app.t("planRunAt", { time: timeOf(run), n: number(lang, run.rows) });
  const heads = [app.t("planKey"), app.t("planState"), app.t("planBefore"), app.t("planAfter")];
  fill(
    element,
    h(
      "div",
      { class: "comparison-head" },
      h(
        "div",
        { class: "told" },
        h("h2", {}, `${app.t("planCompareTitle")} · ${app.title(title)}`),
        h(
          "p",
          { class: "detail" },
          app.t("planCompared", { earlier: ran(earlier), later: ran(later) }),
          earlier.synthetic || later.synthetic ? h("strong", { class: "badge" }, app.t("synthetic")) : null,
        ),
      ),
      ...kinds.map(({ state, list }) =>
        h("p", { class: `tally ${state}` }, h("b", {}, `${SIGNS[state]}${number(lang, list.length)}`), words[state]),
      ),
      h("p", { class: "detail" }, app.t("planSame", { n: number(lang, comparison.same) })),
      button(app.t("planBack"), back, { class: "outlined" }),
      button(app.t("planToQuestion"), goToQuestion, { class: "outlined to-question" }),
    ),
    comparison.cut ? h("p", { class: "cut" }, app.t("planCompareCut")) : null,
    lines.length === 0
      ? h("p", { class: "empty" }, app.t("planCompareNone"))
      : h(
          "div",
          { class: "table", tabIndex: 0, role: "region", aria: { label: app.t("planCompareTitle") } },
          h(
            "table",
            {},
            h("thead", {}, h("tr", {}, ...heads.map((text) => h("th", { scope: "col" }, text)))),
            h("tbody", {}, ...lines.slice(0, MOST)),
          ),
          lines.length > MOST ? h("p", { class: "table-foot" }, `${MOST} / ${number(lang, lines.length)}`) : null,
        ),
  );
}

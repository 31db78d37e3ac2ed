/** The queues as tabs, each with how many wait in it. */
import { fill, h, keepingFocus } from "../page/dom.ts";
import { number } from "../words/format.ts";
import type { Lang } from "../words/i18n.ts";
import type { Bench } from "./bench.ts";
import { NO_FILTERS, type Tab, tabsOf } from "./place.ts";

/** What only the server knows whose it is: counted as far as this. */
export const MOST_COUNTED = 100;

const COUNTED_SO_FAR: readonly Tab[] = ["mine", "department", "callbacks", "needs"];

/** How many cases a tab holds, as far as that is known. */
export type Counts = Partial<Record<Tab, number>>;

export interface TabsView {
  element: HTMLElement;
  counted(counts: Counts): void;
  redraw(): void;
}

export function tabsView(bench: Bench): TabsView {
  const { app } = bench;
  const element = h("nav", { class: "case-tabs" });
  let counts: Counts = {};
  const draw = (): void =>
    keepingFocus(element, () => {
      const { lang } = app.store.get();
      const { tab } = bench.place();
      element.setAttribute("aria-label", app.t("caseTabs"));
      const buttons = tabsOf(app.city.who).map((name, at) => {
        const n = counts[name];
        const words = app.t(`caseTab_${name}`);
        const button = h(
          "button",
          {
            type: "button",
            title: `${words} (${at + 1})`,
            data: { key: name, tab: name },
            onclick: () => bench.go({ tab: name, filters: NO_FILTERS }),
          },
          words,
          n !== undefined &&
            n > 0 &&
            h("b", { class: "count", data: { late: String(name === "overdue" && n > 0) } }, counted(lang, name, n)),
        );
        if (name === tab) button.setAttribute("aria-current", "page");
        return button;
      });
      fill(element, ...buttons);
    });
  draw();
  return {
    element,
    counted(now) {
      counts = now;
      draw();
    },
    redraw: draw,
  };
}

const counted = (lang: Lang, tab: Tab, n: number): string =>
  COUNTED_SO_FAR.includes(tab) && n >= MOST_COUNTED ? `${MOST_COUNTED - 1}+` : number(lang, n);

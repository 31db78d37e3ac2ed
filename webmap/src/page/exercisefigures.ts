/** The figures of an exercise as a table: every rate that something was counted for, with what it was made of. */

import type { Figures } from "../city/exercises.ts";
import { moment, number } from "../words/format.ts";
import type { Title } from "../words/i18n.ts";
import type { App } from "./app.ts";
import { h } from "./dom.ts";

const HOTLINE = { response: "rate_response", solved: "rate_solved", satisfied: "rate_satisfied" } as const;
interface Row {
  title: string;
  share: { numerator: number; denominator: number } | undefined;
  leftOut?: Title;
}

/** The table; of an exercise in which nothing was due yet a line that says so. */
export function figuresTable(app: App, figures: Figures): HTMLElement {
  const { lang } = app.store.get();
  const [whole] = figures.rows;
  const loop: Row[] = figures.indicators.map(({ name, title, left_out }) => {
    return { title: app.title(title), share: whole?.rates[name], leftOut: left_out };
  });
  const lines = Object.entries(HOTLINE).map(([name, word]): Row => {
    return {
      title: `${app.t("exHotline")} · ${app.t(word)}`,
      share: figures.hotline.total[name as keyof typeof HOTLINE],
    };
  });
  const rows = [...loop, ...lines].map((row) => drawn(app, row)).filter((row) => row !== null);
  const score = whole?.score ?? null;
  const about = [
    app.t("exFiguresWhy", { at: moment(lang, figures.until) }),
    score === null ? "" : app.t("exScore", { score: number(lang, score, 1) }),
    figures.truncated ? app.t("exFiguresCut") : "",
  ];
  return h(
    "div",
    { class: "figures" },
    h("p", { class: "hint" }, about.filter(Boolean).join(" ")),
    rows.length === 0 ? h("p", {}, app.t("exNothing")) : h("table", {}, h("tbody", {}, ...rows)),
  );
}

function drawn(app: App, { title, share, leftOut }: Row): HTMLElement | null {
  if (share === undefined || share.denominator === 0) return null;
  const { lang } = app.store.get();
  const { numerator, denominator } = share;
  const without = leftOut !== undefined && h("small", {}, app.t("exLeftOut", { what: app.title(leftOut) }));
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, title, without),
    h("td", {}, `${number(lang, (100 * numerator) / denominator, 1)} %`),
    h("td", {}, `${numerator} / ${denominator}`),
  );
}

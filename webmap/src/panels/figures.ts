/** Key figures: each with its unit, how it turned, and a small line of its past. */
import type { Figures, Point } from "../city/indicators.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import {
  aboutFigure,
  amount,
  type Drawing,
  digits,
  doorway,
  explanation,
  periodText,
  statusMark,
  unitText,
} from "./drawing.ts";
import { sparkline } from "./series.ts";

export interface KeyFigure {
  figures: Figures;
  past: readonly Point[];
  pastIsSynthetic: boolean;
}

/** The figures side by side, each a door to what it counts. */
export function drawFigures(app: App, data: readonly KeyFigure[], drawing: Drawing): HTMLElement {
  return h("div", { class: "key-figures" }, ...data.flatMap((each) => drawFigure(app, each, drawing)));
}

function drawFigure(app: App, { figures, past }: KeyFigure, drawing: Drawing): (HTMLElement | null)[] {
  const { lang } = app.store.get();
  const value = figures.values[0] ?? null;
  const title = app.title(figures.title);
  const told = () => aboutFigure(app, figures, value ? [value] : [], drawing);
  const { button, text } = explanation(app, drawing, `figure-${figures.name}`, title, told);
  const status = value?.status ?? null;
  const number = h("b", {}, digits(lang, value?.value ?? null, figures.decimals));
  const unitAndPeriod = [unitText(lang, figures.unit), periodText(app, figures)].filter(Boolean).join(" · ");
  number.style.setProperty("--digits", String(number.textContent.length));
  const inside = [
    h("span", { class: "what" }, statusMark(app, status), h("span", { class: "name" }, title)),
    h("span", { class: "amount" }, number, h("span", { class: "unit" }, unitAndPeriod)),
    past.length > 1 ? h("span", { class: "past" }, turned(app, figures, past), sparkline(past, drawing.scale)) : null,
  ];
  const given = { door: value?.door ?? null, by: "city", key: `figure-${figures.name}`, class: "key-figure" };
  const tile = h("div", { class: "key-figure-tile" }, doorway(app, drawing, given, ...inside), button);
  if (status !== null) tile.dataset.status = status;
  return [tile, text];
}

export interface Turn {
  by: number;
  days: number;
  turn: "better" | "worse" | "other" | "same";
}

/** How a figure turned from the first to the last point of its past that is known; null where there are not two. */
export function turnOf(past: readonly Point[], better: Figures["better"], decimals: number): Turn | null {
  const known = past.filter((point): point is Point & { value: number } => point.value !== null);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined || first === last) return null;
  const by = Number((last.value - first.value).toFixed(decimals));
  const days = Math.max(1, Math.round((Date.parse(last.at) - Date.parse(first.at)) / 86_400_000));
  if (by === 0) return { by, days, turn: "same" };
  if (better === null) return { by, days, turn: "other" };
  return { by, days, turn: (better === "up") === by > 0 ? "better" : "worse" };
}

function turned(app: App, figures: Figures, past: readonly Point[]): HTMLElement | null {
  const turn = turnOf(past, figures.better, figures.decimals);
  if (turn === null) return null;
  const { lang } = app.store.get();
  const by = digits(lang, Math.abs(turn.by), figures.decimals);
  const arrow = turn.by > 0 ? "▲" : turn.by < 0 ? "▼" : "＝";
  const verdict = { better: app.t("turnBetter"), worse: app.t("turnWorse"), other: "", same: "" }[turn.turn];
  const way = app.t(turn.by > 0 ? "turnUp" : turn.by < 0 ? "turnDown" : "turnSame", {
    n: amount(lang, figures, Math.abs(turn.by)),
    days: turn.days,
  });
  const words = [way, verdict].filter(Boolean).join(app.t("listComma"));
  return h(
    "span",
    { class: "turn", data: { turn: turn.turn }, title: words },
    h("span", { aria: { hidden: "true" } }, turn.by === 0 ? arrow : `${arrow} ${by}`),
    h("span", { class: "hidden-text" }, words),
  );
}

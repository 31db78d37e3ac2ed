/** One panel: its title, its drawing, of when it is, and, where there is nothing to draw, why. */

import type { Panel } from "../city/topics.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { failure } from "../page/why.ts";
import { age, moment, timeOfDay } from "../words/format.ts";
import { aboutStatuses, drawBars, drawStatuses } from "./bars.ts";
import { aboutFigure, type Drawing, explanation, periodText } from "./drawing.ts";
import { drawFigures, type KeyFigure } from "./figures.ts";
import { isStale, type Reading } from "./keep.ts";
import { drawLegend } from "./legend.ts";
import { type Data, isSynthetic, timeOf } from "./reading.ts";
import { drawSeries } from "./series.ts";
import { drawTable } from "./table.ts";

export interface Framing extends Drawing {
  /** What tells the panel from the others of its page. */
  key: string;
  refresh_s: number;
  now: number;
  /** What the button does that a panel without an answer shows; null: no button. */
  again: (() => void) | null;
}

/** The panel; null where the server has nothing for it. */
export function drawPanel(app: App, panel: Panel, reading: Reading, framing: Framing): HTMLElement | null {
  if (reading.absent) return null;
  const { data } = reading;
  const title = titleOf(app, panel, data);
  const stale = isStale(reading, framing.refresh_s, framing.now);
  const told = data === null ? null : explained(app, data, framing);
  const { button, text } = told ? explanation(app, framing, framing.key, title, told) : { button: null, text: null };
  const section = h(
    "section",
    { class: "tile", data: { panel: panel.kind } },
    h("header", {}, h("h3", {}, title), data && timeNote(app, data, stale, framing.now), button),
    text,
    data === null ? waiting(app, reading, framing) : drawData(app, data, framing),
  );
  section.classList.toggle("stale", stale);
  return section;
}

/** The drawing alone, without title and time. */
export function drawData(app: App, data: Data, drawing: Drawing): HTMLElement {
  switch (data.kind) {
    case "figures":
      return drawFigures(app, data.figures, drawing);
    case "bars":
      return drawBars(app, data.figures.figures, data.top, drawing);
    case "series":
      return drawSeries(app, data.figures.figures, data.figures.past, drawing);
    case "table":
      return drawTable(
        app,
        data.columns.map(({ figures }) => figures),
        data.top,
        drawing,
      );
    case "statuses":
      return drawStatuses(app, data, drawing);
    case "legend":
      return drawLegend(app);
  }
}

/** What the "i" of a panel tells; key figures explain themselves one by one. */
function explained(app: App, data: Data, drawing: Drawing): (() => HTMLElement) | null {
  const about = ({ figures }: KeyFigure, most: number) =>
    aboutFigure(app, figures, figures.values.slice(0, most), drawing);
  switch (data.kind) {
    case "bars":
      return () => about(data.figures, data.top);
    case "series":
      return () => about(data.figures, 1);
    case "table":
      return () => h("div", {}, ...data.columns.map((column) => titled(app, column, about(column, data.top))));
    case "statuses":
      return () => aboutStatuses(app, data, drawing);
    default:
      return null;
  }
}

const titled = (app: App, { figures }: KeyFigure, about: HTMLElement): HTMLElement =>
  h("section", {}, h("h4", {}, app.title(figures.title)), about);

function titleOf(app: App, panel: Panel, data: Data | null): string {
  if (panel.title) return app.title(panel.title);
  switch (data?.kind) {
    case "bars":
    case "series":
      return app.title(data.figures.figures.title);
    case "statuses":
      return app.title(data.facet.title);
    case "table":
      return app.t("compared");
    case "legend":
      return app.t("legend");
    default:
      return app.t(panel.kind === "legend" ? "legend" : "keyFigures");
  }
}

/** "3 minutes ago", exact to who points at it; a warning once it is too old. */
function timeNote(app: App, data: Data, stale: boolean, now: number): HTMLElement | null {
  const at = timeOf(data);
  if (at === null) return null;
  const { lang } = app.store.get();
  const invented = data.kind === "statuses" ? (app.city.layer(data.layer)?.synthetic ?? false) : isSynthetic(data);
  const title = `${app.t("asOf")} ${moment(lang, at)}${invented ? ` · ${app.t("synthetic")}` : ""}`;
  const text = stale ? app.t("stoppedAt", { time: timeOfDay(at) }) : age(lang, at, now);
  const period = data.kind === "bars" || data.kind === "series" ? periodText(app, data.figures.figures) : null;
  return h("time", { class: "as-of", dateTime: at, title }, [period, text].filter(Boolean).join(" · "));
}

function waiting(app: App, { problem }: Reading, { again }: Framing): HTMLElement {
  if (problem === null) return h("p", { class: "empty" }, app.t("loading"));
  const why = failure(app, problem);
  const button = again && h("button", { type: "button", onclick: again }, app.t("retry"));
  return h("div", {}, h("p", { class: "empty" }, why), button);
}

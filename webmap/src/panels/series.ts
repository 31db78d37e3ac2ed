/** Lines of time: a small one beside a figure, and one with its scale, its norm and a reading of every point. */
import type { Door, Figures, Point } from "../city/indicators.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { dayOfYear, moment } from "../words/format.ts";
import type { Lang } from "../words/i18n.ts";
import { type Aim, aimOf, amount, type Drawing, doorway, nothingToCount } from "./drawing.ts";

const SVG = "http://www.w3.org/2000/svg";

function svg(name: string, attributes: Record<string, string | number>, ...children: Element[]): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

export interface Range {
  low: number;
  high: number;
}

/** From where to where a scale goes that shows all values, and the bounds of an aim that lie near; never of no height. */
export function rangeOf(past: readonly Point[], aim: Aim | null): Range {
  const values = past.flatMap(({ value }) => (value === null ? [] : [value]));
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (!Number.isFinite(low)) return { low: 0, high: 1 };
  const reach = Math.max(high - low, Math.abs(high) * 0.02, 1e-9);
  for (const bound of [aim?.least ?? null, aim?.most ?? null]) {
    if (bound === null || bound < low - reach * 2 || bound > high + reach * 2) continue;
    low = Math.min(low, bound);
    high = Math.max(high, bound);
  }
  const room = Math.max(high - low, reach) * 0.08;
  return { low: low >= 0 ? Math.max(0, low - room) : low - room, high: high + room };
}

/** The way of a line through points in a box, broken where nothing is known. */
export function lineThrough(past: readonly Point[], { low, high }: Range, width: number, height: number): string {
  const times = past.map(({ at }) => Date.parse(at));
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  let pen = "M";
  return past
    .map(({ value }, index) => {
      if (value === null) {
        pen = "M";
        return "";
      }
      const x = last === first ? width : (((times[index] ?? 0) - first) / (last - first)) * width;
      const y = height - ((value - low) / (high - low || 1)) * height;
      const step = `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = "L";
      return step;
    })
    .join("");
}

/** A line as high as the text beside it; nothing where there are not two points. */
export function sparkline(past: readonly Point[], scale: number): SVGElement | null {
  if (past.filter(({ value }) => value !== null).length < 2) return null;
  const [width, height] = [64, 18];
  const d = lineThrough(past, rangeOf(past, null), width, height);
  const box = `-2 -2 ${width + 4} ${height + 4}`;
  return svg(
    "svg",
    { class: "sparkline", viewBox: box, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("path", { d, "stroke-width": 1.5 * scale, "vector-effect": "non-scaling-stroke" }),
  );
}

const WIDTH = 300;
const HEIGHT = 84;

/** The past of one figure with its scale and norm; pointer and arrow keys read single points. */
export function drawSeries(app: App, figures: Figures, past: readonly Point[], drawing: Drawing): HTMLElement {
  const known = past.filter(({ value }) => value !== null);
  if (known.length < 2)
    return h("p", { class: "empty" }, known.length === 0 ? nothingToCount(app, figures) : app.t("pastTooShort"));
  const { lang } = app.store.get();
  const aim = aimOf(figures);
  const range = rangeOf(known, aim);
  const chart = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    ...aimBand(aim, range),
    svg("path", {
      class: "curve",
      d: lineThrough(known, range, WIDTH, HEIGHT),
      "stroke-width": 2 * drawing.scale,
      "vector-effect": "non-scaling-stroke",
    }),
  );
  const cursor = h("span", { class: "cursor", hidden: true });
  const plot = h("div", { class: "plot" }, chart, cursor);
  const said = (point: Point | undefined) =>
    point === undefined ? "" : `${moment(lang, point.at)}  ${amount(lang, figures, point.value)}`;
  const reading = h("output", {}, said(known.at(-1)));
  const door = figures.values[0]?.door ?? null;
  const doorOf = (point: Point): Door | null => (point === known.at(-1) ? door : point.door);
  const isPast = (point: Point) => point !== known.at(-1) && drawing.doors !== null && point.door !== null;
  const tick = (value: number) => h("span", {}, amount(lang, figures, value));
  const body = h(
    "div",
    { class: "series" },
    doorway(app, drawing, { door, by: "city", key: `series-${figures.name}`, class: "reading" }, reading),
    h("div", { class: "scale", aria: { hidden: "true" } }, tick(range.high), tick(range.low)),
    plot,
    h(
      "div",
      { class: "days" },
      h("span", {}, dayOf(lang, known[0])),
      drawing.doors && h("span", {}, app.t("eachDay")),
      h("span", {}, dayOf(lang, known.at(-1))),
    ),
  );
  const summary = app.t("seriesSummary", {
    title: app.title(figures.title),
    first: said(known[0]),
    last: said(known.at(-1)),
  });
  const tell = (point: Point | undefined) => {
    reading.textContent = said(point);
    const door = point && isPast(point) ? app.t("thatDay") : null;
    plot.setAttribute("aria-valuetext", [said(point), door].filter(Boolean).join(app.t("listComma")));
  };
  const enter = (point: Point) => {
    const to = doorOf(point);
    if (to !== null) drawing.doors?.toggle(to);
  };
  readable(plot, cursor, known, range, { summary, tell, enter });
  return body;
}

const dayOf = (lang: Lang, point: Point | undefined): string => (point === undefined ? "" : dayOfYear(lang, point.at));

// Where a value is as it should be, the ground is shaded.
function aimBand({ least, most }: Aim, { low, high }: Range): SVGElement[] {
  if (least === null && most === null) return [];
  const y = (value: number) => HEIGHT - ((Math.min(high, Math.max(low, value)) - low) / (high - low)) * HEIGHT;
  const top = y(most ?? high);
  return [svg("rect", { class: "norm", x: 0, width: WIDTH, y: top, height: Math.max(0, y(least ?? low) - top) })];
}

interface Reader {
  summary: string;
  /** A point is read, the last one again when nobody points at any. */
  tell(point: Point | undefined): void;
  /** A point was clicked, or entered by keyboard. */
  enter(point: Point): void;
}

function readable(
  plot: HTMLElement,
  cursor: HTMLElement,
  points: readonly Point[],
  { low, high }: Range,
  { summary, tell, enter }: Reader,
): void {
  const times = points.map(({ at }) => Date.parse(at));
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const share = (index: number) => (last === first ? 1 : ((times[index] ?? 0) - first) / (last - first));
  let at = points.length - 1;
  const show = (index: number) => {
    at = Math.min(points.length - 1, Math.max(0, index));
    const value = points[at]?.value ?? 0;
    cursor.hidden = false;
    cursor.style.setProperty("--x", `${share(at) * 100}%`);
    cursor.style.setProperty("--y", `${100 - ((value - low) / (high - low)) * 100}%`);
    plot.setAttribute("aria-valuenow", String(at));
    tell(points[at]);
  };
  const leave = () => {
    cursor.hidden = true;
    tell(points.at(-1));
  };
  plot.tabIndex = 0;
  plot.setAttribute("role", "slider");
  plot.setAttribute("aria-label", summary);
  plot.setAttribute("aria-valuemin", "0");
  plot.setAttribute("aria-valuemax", String(points.length - 1));
  plot.setAttribute("aria-valuenow", String(at));
  tell(points[at]);
  const enterAt = () => {
    const point = points[at];
    if (point && !cursor.hidden) enter(point);
  };
  const point = (event: MouseEvent) => {
    const { left, width } = plot.getBoundingClientRect();
    const target = (event.clientX - left) / width;
    const nearest = points.reduce(
      (best, _, index) => (Math.abs(share(index) - target) < Math.abs(share(best) - target) ? index : best),
      0,
    );
    show(nearest);
  };
  plot.onpointermove = point;
  plot.onclick = (event) => {
    point(event);
    enterAt();
  };
  plot.onpointerleave = leave;
  plot.onblur = leave;
  plot.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 }[event.key];
    const entered = event.key === "Enter" || event.key === " ";
    if (step === undefined && !entered) return;
    event.preventDefault();
    if (step === undefined) return enterAt();
    show(cursor.hidden ? points.length - 1 : at + step);
  };
}

/** What all drawings of figures share: numbers with their unit, doors, marks of what is wrong, and explanations. */
import type { Door, Figures, Status, Value } from "../city/indicators.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import type { Hovered } from "../page/state.ts";
import { moment } from "../words/format.ts";
import type { Lang, Title } from "../words/i18n.ts";
import { unitWord } from "../words/i18n.ts";
import { behind, type Doors, type Row, standsFor } from "./doors.ts";
import { reportButtons } from "./report.ts";

/** How and for whom something is drawn. Sizes of type come from `--type-figure`, `--type-body`, `--type-caption`. */
export interface Drawing {
  /** Lines and gaps are as many times as thick and wide as on a desk. */
  scale: number;
  /** Null: nobody can click, as on a wall. */
  doors: Doors | null;
  /** The explanations that are open, by key; null: none can be opened. */
  explained: Set<string> | null;
}

export const ON_A_WALL: Omit<Drawing, "scale"> = { doors: null, explained: null };

const LOCALE: Record<Lang, string> = { zh: "zh-CN", en: "en-GB" };

/** A number with just so many decimals; a dash where there is none. */
export function digits(lang: Lang, value: number | null, decimals: number): string {
  if (value === null) return "–";
  return value.toLocaleString(LOCALE[lang], { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

export const unitText = (lang: Lang, unit: Title | null): string => (unit === null ? "" : unitWord(lang, unit[lang]));

/** "近 30 天" of a figure with a period; nothing of others. */
export const periodText = (app: App, { period }: Pick<Figures, "period">): string | null =>
  period === null ? null : app.t("lastDays", { n: period.days });

/** "96.4%", "1,203 个". */
export function amount(
  lang: Lang,
  { unit, decimals }: Pick<Figures, "unit" | "decimals">,
  value: number | null,
): string {
  const text = unitText(lang, unit);
  if (value === null || text === "") return digits(lang, value, decimals);
  return `${digits(lang, value, decimals)}${text.startsWith("%") ? "" : " "}${text}`;
}

/** Between which bounds a value is as it should be; null: no bound. */
export interface Aim {
  least: number | null;
  most: number | null;
}

export function aimOf({ better, norm }: Pick<Figures, "better" | "norm">): Aim {
  const { low = null, high = null } = norm ?? {};
  if (better === "up") return { least: high ?? low, most: null };
  if (better === "down") return { least: null, most: low ?? high };
  return { least: low, most: high };
}

/** "不低于 98%，95% 以下不达标". */
export function normText(app: App, of: Pick<Figures, "unit" | "decimals" | "better" | "norm">): string {
  const { lang } = app.store.get();
  const { least, most } = aimOf(of);
  const beyond = of.better === "up" ? of.norm?.low : of.better === "down" ? of.norm?.high : null;
  const said = (word: "atLeast" | "atMost" | "badBelow" | "badAbove", bound: number | null | undefined) =>
    bound == null ? "" : app.t(word, { n: amount(lang, of, bound) });
  return [
    said("atLeast", least),
    said("atMost", most),
    of.better === "up" ? said("badBelow", beyond) : said("badAbove", beyond),
  ]
    .filter(Boolean)
    .join(app.t("listComma"));
}

/** A mark of what is wrong, told apart by its shape and said in words; nothing where nothing is. */
export function statusMark(app: App, status: Status | null): HTMLElement | null {
  if (status !== "warn" && status !== "bad") return null;
  const words = app.t(status === "bad" ? "statusBad" : "statusWarn");
  return h(
    "span",
    { class: "mark", data: { status }, title: words },
    h("span", { aria: { hidden: "true" } }, status === "bad" ? "◆" : "▲"),
    h("span", { class: "hidden-text" }, words),
  );
}

/**
 * A figure as the door to what it counts: a button that is lit while they are listed, and that lights up what it
 * counts on the map while it is pointed at. Without doors or records behind it: the same, but no button.
 */
export function doorway(
  app: App,
  { doors }: Drawing,
  given: { door: Door | null; by: string; key: string; class: string; label?: string },
  ...inside: (Node | string | null)[]
): HTMLElement {
  const { door } = given;
  if (doors === null || door === null || app.city.layer(door.layer) === undefined)
    return h("div", { class: given.class }, ...inside);
  const hovered = standsFor(door, given.by);
  const button = h(
    "button",
    {
      type: "button",
      class: given.class,
      data: { key: given.key },
      aria: { pressed: String(doors.isOpen(door)), ...(given.label === undefined ? {} : { label: given.label }) },
      title: app.t("doorHint"),
      onclick: () => doors.toggle(door),
    },
    ...inside,
  );
  ROWS.set(button, { door, by: given.by });
  if (hovered !== null) pointsAt(app, button, hovered);
  return button;
}

const ROWS = new WeakMap<Element, Row>();

/** Light the doors under an element that are open, and those that stand for what is hovered. */
export function lightDoors(element: Element, { store }: App, doors: Doors): void {
  const { hovered } = store.get();
  for (const button of element.querySelectorAll<HTMLElement>("button[data-key]")) {
    const row = ROWS.get(button);
    if (row === undefined) continue;
    button.setAttribute("aria-pressed", String(doors.isOpen(row.door)));
    button.classList.toggle("lit", behind(row, hovered));
  }
}

/** By layer, the columns that the doors under an element stand for: what is worth looking for under the pointer. */
export function doorColumns(element: Element): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const button of element.querySelectorAll("button[data-key]")) {
    const row = ROWS.get(button);
    const own = row && standsFor(row.door, row.by);
    if (own) found.set(own.layer, (found.get(own.layer) ?? new Set()).add(own.column));
  }
  return found;
}

/** While it is pointed at or has the focus, an element says what it stands for. */
function pointsAt({ store }: App, element: HTMLElement, hovered: Hovered): void {
  const over = () => store.set({ hovered });
  const gone = () => store.get().hovered === hovered && store.set({ hovered: null });
  element.onpointerenter = over;
  element.onfocus = () => element.matches(":focus-visible") && over();
  element.onpointerleave = gone;
  element.onblur = gone;
}

/** The button that opens an explanation, and the explanation if it is open. */
export function explanation(
  app: App,
  { explained }: Drawing,
  key: string,
  what: string,
  told: () => HTMLElement,
): { button: HTMLElement | null; text: HTMLElement | null } {
  if (explained === null) return { button: null, text: null };
  const id = `told-${key}`;
  const text = h("div", { class: "told", id, hidden: !explained.has(key) });
  if (explained.has(key)) text.append(told());
  const button = h(
    "button",
    {
      type: "button",
      class: "icon-button explain",
      title: app.t("explain"),
      data: { key: `explain-${key}` },
      aria: { label: `${app.t("explain")}: ${what}`, expanded: String(explained.has(key)), controls: id },
    },
    h("span", { aria: { hidden: "true" } }, "i"),
  );
  button.onclick = () => {
    text.hidden = !text.hidden;
    text.replaceChildren(...(text.hidden ? [] : [told()]));
    if (text.hidden) explained.delete(key);
    else explained.add(key);
    button.setAttribute("aria-expanded", String(!text.hidden));
  };
  return { button, text };
}

/** One line of an explanation; nothing where there is nothing to say. */
export const fact = (name: string, ...told: (Node | string | null)[]): HTMLElement | null =>
  told.every((each) => each === null) ? null : h("div", {}, h("dt", {}, name), h("dd", {}, ...told));

/** Of when something is, and where it comes from. */
export function originFacts(
  app: App,
  { at, layers, synthetic, updated }: { at: string; layers: string[]; synthetic: boolean; updated: string | null },
): (HTMLElement | null)[] {
  const names = layers.map((name) => {
    const layer = app.city.layer(name);
    return layer ? app.title(layer.title) : name;
  });
  const source = [names.join(app.t("listComma")), synthetic ? app.t("synthetic") : null];
  return [
    fact(app.t("asOf"), moment(app.store.get().lang, at)),
    fact(app.t("source"), source.filter(Boolean).join(" · ")),
    fact(app.t("updated"), updated === null ? null : moment(app.store.get().lang, updated)),
  ];
}

/** What figures are, of what each of `values` is made, how they should be, of when, and where they come from. */
export function aboutFigure(app: App, of: Figures, values: readonly Value[], drawing: Drawing): HTMLElement {
  const { lang } = app.store.get();
  const { period } = of;
  const made = values.filter(({ denominator }) => denominator !== null);
  const named = (value: Value) => (of.by === "city" ? app.t("madeOf") : app.title(value.title));
  return h(
    "div",
    {},
    h("p", {}, app.title(of.about)),
    h(
      "dl",
      {},
      of.by === "city" || made.length === 0 ? null : fact(app.t("madeOf"), app.t("madeOfEach")),
      ...made.map((value) => fact(named(value), partDoors(app, of, value, drawing))),
      period && fact(app.title(period.title), app.t("lastDaysSince", { n: period.days, since: period.since })),
      of.norm && fact(app.t("norm"), normText(app, of)),
      ...originFacts(app, { at: of.at, ...of.source }),
      of.truncated ? fact(app.t("cutOff"), app.t("cutOffWhy")) : null,
    ),
    of.values.length === 0 ? h("p", {}, nothingToCount(app, of)) : null,
    drawing.doors && reportButtons(app, { of: of.name, by: of.by }, of.name),
    values.length === 1 && h("p", { class: "hidden-text" }, amount(lang, of, values[0]?.value ?? null)),
  );
}

/** "412 / 12,034", each of them a door to what it is made of. */
function partDoors(app: App, of: Figures, value: Value, drawing: Drawing): HTMLElement {
  const { lang } = app.store.get();
  const part = (number: number | null, door: Door | null, what: "top" | "bottom") => {
    const label = `${app.t(what === "top" ? "numerator" : "denominator")} ${digits(lang, number, placesOf(of, number))}`;
    const key = `${what}-${of.name}-${of.by}-${value.key}`;
    return doorway(
      app,
      drawing,
      { door, by: of.by, key, class: "part", label },
      digits(lang, number, placesOf(of, number)),
    );
  };
  const bottom = part(value.denominator, value.denominator_door, "bottom");
  return h("span", { class: "parts" }, part(value.numerator, value.door, "top"), " / ", bottom);
}

/** "412 / 12,034", or the one number that it is made of. */
export function parts(app: App, of: Figures, { numerator, denominator }: Value): string | null {
  const { lang } = app.store.get();
  const said = [numerator, denominator].filter((each) => each !== null);
  return said.length === 0 ? null : said.map((each) => digits(lang, each, placesOf(of, each))).join(" / ");
}

const placesOf = ({ kind, decimals }: Figures, part: number | null): number =>
  kind === "count" || Number.isInteger(part) ? 0 : decimals;

/** Why a panel is empty, and what to do. */
export function nothingToCount(app: App, of: Figures): string {
  const layer = app.city.layer(of.source.layers[0] ?? "");
  return app.t("nothingToCount", { layer: layer ? app.title(layer.title) : (of.source.layers[0] ?? "") });
}

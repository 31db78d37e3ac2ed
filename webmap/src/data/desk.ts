/** What the parts of the page share: who is where, the map beside, and small pieces of which views are made. */
import type { PlaceKind, Places } from "../city/intake.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import type { Title, Word } from "../words/i18n.ts";
import { KINDS, ROLE_OF, SIGNS } from "./places.ts";
import { whyNot } from "./refusals.ts";

/** Which view is open. */
export type Place = { upload: string } | { delivery: number } | null;

export interface Desk {
  app: App;
  go(place: Place): void;
  /** Show places beside, and nothing else but the ground. */
  show(places: Places): void;
  /** Show one kind of them alone; null: all. */
  only(kind: PlaceKind | null): void;
  /** Say at the top what went wrong, or nothing any more. */
  complain(text: string | null): void;
}

/** Do something; what goes wrong is said at the top. */
export async function attempt(desk: Desk, work: () => Promise<void>): Promise<void> {
  try {
    desk.complain(null);
    await work();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    desk.complain(whyNot(desk.app, error));
    if (!(error instanceof Error)) throw error;
  }
}

export const size = (app: App, bytes: number): string => {
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
  return `${number(app.store.get().lang, value, 1)} ${unit}`;
};

export const share = (app: App, value: number): string =>
  `${number(app.store.get().lang, Math.floor(value * 1000) / 10, 1)}%`;

export const layerTitle = (app: App, name: string): string => {
  const title: Title | undefined = app.city.layer(name)?.title;
  return title === undefined ? name : app.title(title);
};

const ITSELF: Record<string, Word> = { id: "dataId", geometry: "dataPlace", grid_id: "dataRole_grid" };

/** What a reject is about, in words: a field, the id, or the place. */
export function aboutWord(app: App, { field, title }: { field: string | null; title?: Title | null }): string {
  if (title) return app.title(title);
  const own = ITSELF[field ?? ""];
  return own === undefined ? (field ?? "") : app.t(own);
}

/** How much of each kind there is: numbers that show their kind alone on the map, and all again. */
export function tiles(desk: Desk, counts: Partial<Record<PlaceKind, number>>): HTMLElement {
  const { app } = desk;
  let chosen: PlaceKind | null = null;
  const buttons = KINDS.filter((kind) => counts[kind] !== undefined).map((kind) => {
    const count = counts[kind] ?? 0;
    const button = h(
      "button",
      { type: "button", class: "tile", disabled: count === 0, data: { kind }, aria: { pressed: "false" } },
      h("b", {}, number(app.store.get().lang, count)),
      h("span", {}, h("i", { class: "sign", aria: { hidden: "true" } }, SIGNS[kind]), app.t(`dataKind_${kind}`)),
    );
    button.style.setProperty("--kind", `var(--${ROLE_OF[kind]})`);
    button.onclick = () => {
      chosen = chosen === kind ? null : kind;
      desk.only(chosen);
      for (const each of buttons) each.setAttribute("aria-pressed", String(each.dataset.kind === chosen));
    };
    return button;
  });
  return h("div", { class: "tiles" }, ...buttons);
}

/** A table that scrolls by itself where it is too wide. */
export function table(label: string, headings: readonly (string | Node)[], rows: readonly HTMLElement[]): HTMLElement {
  // Over numbers a heading stands where they end.
  const numbers = (at: number): boolean => rows[0]?.children[at]?.classList.contains("number") === true;
  const head = h(
    "tr",
    {},
    ...headings.map((text, at) => h("th", { scope: "col", class: numbers(at) ? "number" : "" }, text)),
  );
  const grid = h("table", { aria: { label } }, h("thead", {}, head), h("tbody", {}, ...rows));
  return h("div", { class: "scroll", tabIndex: 0, role: "region", aria: { label } }, grid);
}

export const cell = (text: string, className = ""): HTMLElement => h("td", { class: className }, text);

export const action = (text: string, onclick: () => void, className = "outlined"): HTMLButtonElement =>
  h("button", { type: "button", class: className, onclick }, text);

/** What the lists of needs and visits share: codes and places in words, a choice, and the way to a case. */
import type { Named } from "../city/api.ts";
import type { Entry } from "../city/care.ts";
import { fill, h } from "../page/dom.ts";
import { type Bench, button } from "./bench.ts";

/** What marks of needs are called on the map, before their numbers. */
export const NEED_MARK = "need:";
/** So many digits of a grid's number are its town's. */
const TOWN_DIGITS = 9;

/** A code of one of the books in words. */
export function entryTitle({ app }: Bench, book: readonly Entry[] | undefined, code: string): string {
  const found = book?.find((each) => each.code === code);
  return found === undefined ? code : app.title(found.title);
}

/** The town and the grid of a need or a visit. */
export function placeWords(
  { app }: Bench,
  { admin_code, grid_id }: { admin_code?: string | null; grid_id: string | null },
  named: readonly Named[],
): string {
  const code = admin_code ?? grid_id ?? "";
  const town = named.filter(({ id }) => id !== "" && code.startsWith(id)).at(-1)?.name;
  const grid =
    grid_id === null
      ? undefined
      : app.t("needsGrid", { id: town === undefined ? grid_id : grid_id.slice(TOWN_DIGITS) });
  return [town, grid].filter(Boolean).join(" ");
}

/** A button that opens a case beside. */
export const caseLink = (bench: Bench, id: string): HTMLElement =>
  button(id, () => bench.go({ beside: { kind: "case", id } }), "link");

/** A choice of one of several, by its label. */
export function select(
  { app }: Bench,
  label: "needsState" | "needsKind" | "needsArea" | "visitsPeriod" | "visitsBy",
  options: readonly (readonly [value: string, words: string])[],
  now: string,
  chosen: (value: string) => void,
): HTMLSelectElement {
  const box = h("select", { class: "outlined-select", data: { key: label }, aria: { label: app.t(label) } });
  fill(box, ...options.map(([value, text]) => h("option", { value, selected: value === now }, text)));
  box.onchange = () => chosen(box.value);
  return box;
}

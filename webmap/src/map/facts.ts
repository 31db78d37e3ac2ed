/** What is said about a thing: its headline, its rows of facts, its counts by class. */
import type { Field, LayerDetail, LegendRow, Properties } from "../city/api.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { fact, inWords, number } from "../words/format.ts";
import { clip } from "./shapes.ts";

/** The name of a record (its English one for English readers, if there is one), else its class, else its id. */
export function headline(app: App, layer: LayerDetail, id: string, properties: Properties): string {
  const { lang } = app.store.get();
  const translated = lang === "en" ? properties[`${layer.label}_en`] : null;
  const label = translated || properties[layer.label];
  if (typeof label === "string" && label !== "") {
    const field = layer.fields.find((each) => each.name === layer.label);
    return field ? fact(lang, layer, field, label) : label;
  }
  return classWord(app, layer, properties) ?? id;
}

/** The class of a record in words. */
export function classWord(app: App, layer: LayerDetail, properties: Properties): string | null {
  const value = layer.classes === null ? null : properties[layer.classes];
  return value == null || value === "" ? null : inWords(app.store.get().lang, layer, layer.classes, String(value));
}

/**
 * The declared fields that have a value, in words, as rows of a description list; codes stand behind their words, with
 * the standard that they are of (`standards`, by field) where there is one.
 */
export function factRows(
  app: App,
  layer: LayerDetail,
  properties: Properties,
  standards: Readonly<Record<string, string>> = {},
): HTMLElement[] {
  const { lang } = app.store.get();
  return layer.fields
    .filter((field) => field.name !== layer.label && present(properties[field.name]))
    .map((field) => {
      const value = properties[field.name] as string;
      return row(app.title(field.title), fact(lang, layer, field, value), codeOf(app, field, value, standards));
    });
}

function codeOf(app: App, field: Field, code: string, standards: Readonly<Record<string, string>>): Node | null {
  if (field.book === null) return null;
  const standard = standards[field.name];
  return h(
    "span",
    { class: "code" },
    standard === undefined ? app.t("codeAlone", { code }) : app.t("codeIn", { code, standard }),
  );
}

/** One row: what it is, and what it says (with controls behind it). */
export function row(name: string, value: string | Node, ...more: (Node | null)[]): HTMLElement {
  return h("div", { class: "fact" }, h("dt", {}, name), h("dd", {}, value, ...more));
}

export const present = (value: unknown): boolean => value !== null && value !== undefined && value !== "";

export interface ClassCount {
  value: string;
  name: string;
  colour: string | null;
  count: number;
}

/** What a cell counts, by class, the most frequent first. */
export function classCounts(app: App, layer: LayerDetail, properties: Properties): ClassCount[] {
  const { lang, palette } = app.store.get();
  const rows = layer.legend[palette] ?? [];
  return Object.entries(properties)
    .filter(([key, value]) => key.startsWith("c_") && Number(value) > 0)
    .map(([key, value]) => {
      const code = key.slice(2);
      const colour = rows.find((each) => each.value === code)?.colour ?? null;
      return { value: code, name: inWords(lang, layer, layer.classes, code), colour, count: Number(value) };
    })
    .sort((a, b) => b.count - a.count);
}

/** Counts as bars, longest first; the number is beside the bar, so that colour and length only help. */
export function bars(app: App, counts: readonly ClassCount[]): HTMLElement {
  const most = Math.max(1, ...counts.map((each) => each.count));
  return h(
    "ul",
    { class: "bars" },
    ...counts.map(({ name, colour, count }) => {
      const bar = h("span", { class: "bar" });
      bar.style.setProperty("--share", `${(100 * count) / most}%`);
      if (colour !== null) bar.style.setProperty("--bar", colour);
      return h("li", {}, h("span", {}, name), h("b", {}, number(app.store.get().lang, count)), bar);
    }),
  );
}

/** The row of the legend that a record falls under. */
export function rowOf(app: App, layer: LayerDetail, properties: Properties): LegendRow | undefined {
  const value = layer.classes === null ? null : properties[layer.classes];
  const rows = layer.legend[app.store.get().palette] ?? [];
  return rows.find((each) => each.value === String(value)) ?? rows.at(-1);
}

/** A swatch of a legend row: its shape as well as its colour. */
export function swatch({ colour, shape, outline }: Pick<LegendRow, "colour" | "shape" | "outline">): HTMLElement {
  const shaped = outline === undefined ? "" : " shaped";
  const element = h("span", { class: `swatch ${shape}${shaped}`, aria: { hidden: "true" } });
  element.style.setProperty("--swatch", colour);
  if (outline !== undefined) element.style.setProperty("--clip", clip(outline));
  return element;
}

export const fieldTitle = (app: App, fields: readonly Field[], name: string): string => {
  const field = fields.find((each) => each.name === name);
  return field ? app.title(field.title) : name;
};

/** Which matter a report is about: by search, or from those that the worker reports most. */
import { fill, h } from "../page/dom.ts";
import { type Book, favourites, findMatters, type Often } from "./matters.ts";
import type { Phone } from "./phone.ts";

const OFTEN = "often";

export interface MatterField {
  element: HTMLElement;
  value(): string | null;
  choose(code: string | null): void;
  nameOf(code: string): string;
  /** Remember that it was reported once more. */
  count(code: string): Promise<void>;
}

export function matterField(phone: Phone, changed: () => void): MatterField {
  const { app, lang } = phone;
  const element = h("div", { class: "matter" });
  let chosen: string | null = null;
  let often: Often = {};
  const book = (): Book => app.city.known("incident")?.books.matter ?? phone.care.matters();
  const nameOf = (code: string): string => book()[code]?.[lang] ?? code;

  const choose = (code: string | null): void => {
    chosen = code;
    fill(element, ...(code === null ? search() : [picked(code)]));
    if (code !== null) changed();
  };
  const picked = (code: string): HTMLElement =>
    h(
      "p",
      { class: "picked" },
      h("b", {}, nameOf(code)),
      h("button", { type: "button", class: "outlined", onclick: () => choose(null) }, app.t("gridMatterChange")),
    );
  const chip = (code: string): HTMLElement =>
    h(
      "li",
      {},
      h("button", { type: "button", class: "chip", data: { matter: code }, onclick: () => choose(code) }, nameOf(code)),
    );
  const search = (): HTMLElement[] => {
    if (Object.keys(book()).length === 0) return [h("p", { class: "told" }, app.t("gridNoMatters"))];
    const results = h("ul", { class: "chips", aria: { live: "polite" } });
    const placeholder = app.t("gridMatterSearch");
    const input = h("input", { type: "search", id: "matter", placeholder, autocomplete: "off" });
    const offer = (): void => {
      const found = findMatters(book(), input.value, often);
      if (found.length > 0) fill(results, ...found.map(chip));
      else if (input.value.trim() === "") fill(results, ...favourites(book(), often).map(chip));
      else fill(results, h("li", { class: "told" }, app.t("gridMatterNone")));
    };
    input.oninput = offer;
    offer();
    return [h("label", { htmlFor: "matter" }, app.t("gridMatter")), input, results];
  };

  void phone.kept.fact<Often>(OFTEN).then((known) => {
    often = known ?? {};
    if (chosen === null) choose(null);
  });
  return {
    element,
    value: () => chosen,
    choose,
    nameOf,
    async count(code) {
      often = { ...often, [code]: (often[code] ?? 0) + 1 };
      await phone.kept.setFact(OFTEN, often);
    },
  };
}

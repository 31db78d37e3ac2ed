/** What a card shows: what it is about, its body, and what can be done. */

import type { LegendRow } from "../city/api.ts";
import type { App } from "../page/app.ts";
import { fill, h, icon } from "../page/dom.ts";
import { failure } from "../page/why.ts";

export interface Content {
  kicker: string;
  /** As the map draws what the card is about. */
  mark?: LegendRow | undefined;
  title: string;
  body: (HTMLElement | null)[];
  actions?: (HTMLElement | null)[];
}

// Sections that someone opened stay open on the next card: whoever walks from thing to thing looks for the same.
const opened = new Set<string>();

/** A part of the card that is filled when someone opens it; `load` returns what it shows. */
export function section(
  app: App,
  name: string,
  title: string,
  load: (body: HTMLElement) => Promise<(HTMLElement | string | null)[]>,
): HTMLElement {
  const body = h("div", { class: "section-body" });
  const details = h("details", { class: `section ${name}`, data: { section: name } }, h("summary", {}, title), body);
  let asked = false;
  const ask = () => {
    asked = true;
    fill(body, h("p", { class: "empty" }, app.t("loading")));
    load(body).then(
      (children) => fill(body, ...children),
      (error: unknown) => {
        asked = false; // opening it again asks again
        fill(body, h("p", { class: "empty" }, failure(app, error)));
      },
    );
  };
  details.ontoggle = () => {
    if (details.open) opened.add(name);
    else opened.delete(name);
    if (details.open && !asked) ask();
  };
  details.open = opened.has(name);
  return details;
}

/** Close a section for good: what it would show does not exist here. */
export function without(details: HTMLElement): void {
  opened.delete(details.dataset.section ?? "");
  details.remove();
}

/** A button with an icon and a word. */
export function action(name: Parameters<typeof icon>[0] | null, label: string, onclick: () => void): HTMLButtonElement {
  return h("button", { type: "button", onclick }, name && icon(name), label);
}

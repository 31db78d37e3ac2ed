/** The place of a record that is being changed: where it was, and where someone is moving it to. */
import type { LonLat } from "../city/api.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { action } from "./content.ts";
import { type Mover, mover } from "./moving.ts";

export interface Placing {
  element: HTMLElement;
  /** Where it was put; null where it stays. */
  moved(): LonLat | null;
  /** Were coordinates typed that are none? */
  wrong(): boolean;
  /** Begin anew from where it is now (null: it is no point, and is not moved here). */
  rebase(start: LonLat | null): void;
  /** Draw the controls anew, in the language of the page. */
  redraw(): void;
  end(): void;
}

/** `isNew`: the record has no place yet but the one to begin with, so that its marker is there at once. */
export function placing(
  app: App,
  cityMap: CityMap,
  { start, isNew }: { start: LonLat | null; isNew: boolean },
  touched: () => void,
): Placing {
  const element = h("div", { class: "field move" });
  let from = start;
  let to: LonLat | null = isNew ? start : null;
  let marker: Mover | null = null;

  const put = (at: LonLat) => {
    to = at;
    touched();
  };
  const end = () => {
    marker?.remove();
    marker = null;
  };
  const begin = () => {
    const at = to ?? from;
    if (at !== null) marker ??= mover(app, cityMap, at, put);
    draw();
    // The card changes its size with these controls: only then is it known what it covers.
    if (at !== null) requestAnimationFrame(() => cityMap.reveal(...at));
  };
  const putBack = () => {
    end();
    to = null;
    touched();
    draw();
  };
  const draw = () => {
    if (from === null) return fill(element);
    const back = marker !== null && !isNew && h("button", { type: "button", onclick: putBack }, app.t("moveBack"));
    const start = marker === null && action("target", app.t("move"), begin);
    fill(element, h("span", { class: "label" }, app.t("yourPlace")), start, marker?.element, back);
  };
  if (isNew) begin();
  else draw();
  return {
    element,
    moved: () => to,
    wrong: () => element.querySelector("[aria-invalid=true]") !== null,
    rebase(next) {
      end();
      from = next;
      to = null;
      draw();
    },
    redraw() {
      const moving = marker !== null;
      end();
      if (moving) begin();
      else draw();
    },
    end,
  };
}

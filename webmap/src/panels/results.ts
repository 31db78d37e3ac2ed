/** Everything that a search finds, in groups beside the map. */

import type { Geometry } from "geojson";
import type { SearchHit } from "../city/api.ts";
import { allHits } from "../city/records.ts";
import type { App } from "../page/app.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import { failure } from "../page/why.ts";
import { type Line, linesBox } from "./lines.ts";

export interface Results {
  /** List what a query finds; the keyboard goes on there. */
  show(q: string): void;
  close(): void;
}

/** Keep the results in an element; `open` shows one of them, `inGroups` puts those of a layer together. */
export function searchResults(
  element: HTMLElement,
  app: App,
  open: (hit: SearchHit) => void,
  inGroups: (hits: readonly SearchHit[]) => SearchHit[],
): Results {
  const { store } = app;
  let hits: readonly SearchHit[] = [];
  let asked = "";
  let pending = new AbortController();

  const close = () => {
    pending.abort();
    element.hidden = true;
    store.set({ hovered: null });
  };
  const box = linesBox(app, "results-title", {
    open: (line) => {
      const hit = hits[Number(line.key)];
      if (hit) open(hit);
    },
    close,
    more: () => undefined,
  });
  const frame = (count: string) =>
    fill(
      element,
      h(
        "header",
        {},
        h("h2", { id: "results-title" }, app.t("resultsFor", { q: asked }), h("span", { class: "count" }, count)),
        iconButton("close", app.t("close"), close),
      ),
      box.element,
    );
  const show = async (q: string) => {
    pending.abort();
    pending = new AbortController();
    const { signal } = pending;
    asked = q;
    store.set({ listed: null, selected: null });
    element.hidden = false;
    frame("");
    box.say(app.t("loading"));
    box.focus();
    try {
      hits = inGroups(await allHits(q, store.get().lang, signal));
      if (signal.aborted) return;
      frame(app.t("searchCount", { n: hits.length }));
      if (hits.length === 0) box.say(app.t("searchNone", { q }));
      else box.draw(hits.map((hit, index) => lineOf(app, hit, index)));
      box.focus();
    } catch (error) {
      if (signal.aborted) return;
      const why = failure(app, error);
      box.say(why, h("button", { type: "button", onclick: () => void show(q) }, app.t("retry")));
    }
  };
  store.on(["listed"], ({ listed }) => listed !== null && close());
  store.on(["lang"], () => !element.hidden && void show(asked));
  store.on(["hovered", "selected"], () => box.light());
  return { show: (q) => void show(q), close };
}

function lineOf(app: App, hit: SearchHit, index: number): Line {
  const layer = app.city.layer(hit.layer ?? "");
  const geometry: Geometry = { type: "Point", coordinates: [hit.lon, hit.lat] };
  const group = layer ? app.title(layer.title) : app.t(hit.kind === "cell" ? "cell" : "coordinates");
  const { label, detail } = hit;
  const where = detail ?? "";
  return {
    key: String(index),
    layer: hit.layer ?? "",
    id: hit.id ?? "",
    geometry,
    name: label,
    detail: "",
    where,
    group,
  };
}

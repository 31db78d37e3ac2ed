/** The page's parts, empty: a head, the queue, the map, what is open beside them, and a strip at the foot. */
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";

export interface Places {
  root: HTMLElement;
  head: HTMLElement;
  tools: HTMLElement;
  wrong: HTMLElement;
  queue: HTMLElement;
  map: HTMLElement;
  controls: HTMLElement;
  warning: HTMLElement;
  beside: HTMLElement;
  foot: HTMLElement;
  live: HTMLElement;
  said: HTMLElement;
}

export function layOut(root: HTMLElement, app: App): Places {
  const places: Places = {
    root,
    head: h("div", { class: "title" }),
    tools: h("div", { class: "desk-tools" }),
    wrong: h("p", { class: "complaint", role: "alert", hidden: true }),
    queue: h("section", { class: "queue" }),
    map: h("div", { class: "map" }),
    controls: h("div", { class: "controls" }),
    warning: h("p", { class: "notice warning", role: "note" }),
    beside: h("aside", { class: "beside", hidden: true }),
    foot: h("footer", { class: "foot" }),
    live: h("span", { class: "live", role: "status" }),
    said: h("p", { class: "said", role: "status" }),
  };
  root.className = "cases";
  root.dataset.view = "queue";
  const side = h("main", { class: "side" }, places.wrong, places.queue);
  const stage = h("div", { class: "stage" }, places.map, places.warning, places.controls);
  const named = (): void => {
    side.setAttribute("aria-label", app.t("caseQueue"));
    places.beside.setAttribute("aria-label", app.t("caseBeside"));
  };
  app.store.on(["lang"], named);
  named();
  fill(
    root,
    h("header", { class: "top" }, places.head, places.tools),
    side,
    stage,
    places.beside,
    places.foot,
    places.said,
  );
  places.foot.append(places.live);
  return places;
}

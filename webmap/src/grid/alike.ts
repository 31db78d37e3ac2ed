/** Open cases that may be the same as what is about to be reported, where the server can be asked. */
import { duplicates, type Report } from "../city/incidents.ts";
import { fill, h } from "../page/dom.ts";
import { distanceText } from "./near.ts";
import type { Phone } from "./phone.ts";

export interface Alike {
  element: HTMLElement;
  clear(): void;
  look(told: Report & { title: string }): Promise<void>;
}

export function alikeBox({ app }: Phone): Alike {
  const element = h("div", { class: "alike", role: "status" });
  return {
    element,
    clear: () => fill(element),
    async look({ channel, matter = "", lon = 0, lat = 0, title, description }) {
      fill(element);
      if (!navigator.onLine) return;
      const asked = { channel, matter, lon, lat, title, description };
      const found = await duplicates(asked).catch(() => null);
      if (found === null || found.duplicates.length === 0) return; // it is only an offer
      const rows = found.duplicates.map((each) => h("li", {}, `${each.title} · ${distanceText(each.distance_m)}`));
      fill(element, h("b", {}, app.t("gridAlready")), h("ul", {}, ...rows), h("p", {}, app.t("gridAlreadyHint")));
    },
  };
}

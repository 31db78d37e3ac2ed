/** The list of those who can serve a need, the nearest first, with the reasons. */
import type { LonLat } from "../city/api.ts";
import { fill, h } from "../page/dom.ts";
import { entryWord } from "./chips.ts";
import { hoursText } from "./hours.ts";
import { distanceText } from "./near.ts";
import type { Phone } from "./phone.ts";
import { type Fit, suggested } from "./serving.ts";

const MOST = 6;

export interface Wish {
  kind: string;
  at: LonLat;
  codes: readonly string[];
  when: Date | null;
}

/** Fill a box with them; `arrange` adds the button that arranges the need with one. */
export function showServers(
  box: HTMLElement,
  phone: Phone,
  wish: Wish | null,
  arrange: ((id: string, name: string) => void) | null,
): void {
  const { app, care } = phone;
  if (wish === null) {
    fill(box, h("p", { class: "told" }, app.t("careChooseFirst")));
    return;
  }
  const { fits, closed } = suggested(care.providers(), wish);
  fill(
    box,
    h("h3", {}, app.t("careServing")),
    ...(fits.length === 0 ? [h("p", { class: "told" }, app.t("careServingNone"))] : []),
    h("ul", { class: "cards" }, ...fits.slice(0, MOST).map((fit) => h("li", {}, row(phone, fit, arrange)))),
    ...(closed > 0 ? [h("p", { class: "told" }, app.t("careClosedThen", { n: closed }))] : []),
  );
}

function row(phone: Phone, fit: Fit, arrange: ((id: string, name: string) => void) | null): HTMLElement {
  const { app, lang, care } = phone;
  const { id, name, sort, phone: number, synthetic } = fit.provider;
  const button = (onclick: () => void): HTMLElement =>
    h("button", { type: "button", class: "primary", data: { arrange: id }, onclick }, app.t("careArrange"));
  const call = h(
    "a",
    { class: "outlined call", href: `tel:${number.replaceAll(" ", "")}` },
    app.t("careCall", { phone: number }),
  );
  return h(
    "div",
    { class: "act server", data: { provider: id } },
    h("b", {}, name),
    h(
      "span",
      { class: "facts" },
      h("span", {}, entryWord(care.words()?.sorts, sort, lang)),
      synthetic && h("span", { class: "tag" }, app.t("careDemo")),
    ),
    h("p", { class: "told" }, whyText(phone, fit)),
    h("div", { class: "pair" }, number !== "" && call, arrange !== null && button(() => arrange(id, name))),
  );
}

function whyText({ app, lang }: Phone, { away_m, byArea, open, provider }: Fit): string {
  const reach = distanceText(provider.reach_m ?? 0);
  const where = byArea
    ? app.t("careServesHere") + (away_m === null ? "" : ` · ${distanceText(away_m)}`)
    : app.t("careAwayOf", { distance: distanceText(away_m ?? 0), reach });
  const hours =
    provider.open === null
      ? app.t("careNoHours")
      : open === true
        ? app.t("careOpenThen")
        : hoursText(lang, provider.hours);
  return `${where} · ${hours}`;
}

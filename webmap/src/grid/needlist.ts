/** What residents need: the nearest first, with what was taken down here and has not arrived yet. */
import type { Need } from "../city/care.ts";
import { fill, h, icon, keepingFocus } from "../page/dom.ts";
import { age, moment } from "../words/format.ts";
import type { Act } from "./acts.ts";
import { entryWord } from "./chips.ts";
import { nearestFirst } from "./near.ts";
import { type Phone, type View, waitingOf } from "./phone.ts";
import { awayText } from "./tasklist.ts";

/** What a need is called in the outbox. */
export const needName = (id: number): string => `need:${id}`;
/** The number of the need that is called so; null for cases. */
export const needId = (of: string): number | null => (of.startsWith("need:") ? Number(of.slice("need:".length)) : null);

export function needList(phone: Phone): View {
  const { app, care, outbox, lang } = phone;
  const element = h("section", { class: "view needs", aria: { label: app.t("careNeeds") } });
  const update = (): void => keepingFocus(element, () => fill(element, ...parts()));
  const parts = (): HTMLElement[] => {
    const from = phone.shift.position()?.at ?? null;
    const placed = care.needs().map((need) => ({ lon: need.lon, lat: need.lat, due: need.wish_at, need }));
    const waiting = outbox.box().acts.filter(({ doing }) => doing.kind === "need");
    const asOf = care.asOf();
    const nothing = app.t(asOf === null ? "careFirstOnline" : "careNoNeeds");
    const list = h(
      "div",
      { class: "scroll" },
      ...(care.reached() || asOf === null
        ? []
        : [h("p", { class: "told" }, app.t("careAsOf", { age: age(lang, asOf) }))]),
      ...(placed.length + waiting.length === 0 ? [h("p", { class: "nothing" }, nothing)] : []),
      h(
        "ul",
        { class: "cards" },
        ...waiting.map((act) => h("li", {}, unsent(phone, act))),
        ...nearestFirst(placed, from).map(({ need }) => h("li", {}, card(phone, need))),
      ),
      ...(care.more() ? [h("p", { class: "told" }, app.t("careMore"))] : []),
    );
    const add = h(
      "a",
      { class: "primary big", href: "#needs/new", data: { key: "new-need" } },
      icon("plus"),
      app.t("careNewNeed"),
    );
    return [list, ...(care.rights.tell ? [h("div", { class: "actions" }, add)] : [])];
  };
  return { element, update, show: update };
}

function card(phone: Phone, need: Need): HTMLElement {
  const { app, lang, care, shift } = phone;
  const from = shift.position()?.at ?? null;
  const waiting = waitingOf(phone, needName(need.id));
  return h(
    "a",
    { class: "card", href: `#needs/${need.id}`, data: { key: `need-${need.id}` } },
    h(
      "span",
      { class: "what" },
      h("b", {}, entryWord(care.words()?.kinds, need.kind, lang)),
      need.words !== null && h("span", { class: "where" }, need.words),
      h(
        "span",
        { class: "facts" },
        h("span", {}, entryWord(care.words()?.states, need.state, lang)),
        need.wish_at !== null && h("span", {}, moment(lang, need.wish_at)),
        from !== null && h("span", { class: "away" }, awayText(phone, from, [need.lon, need.lat])),
        need.scenario !== null && h("span", { class: "tag" }, app.t("gridExercise")),
        waiting.length > 0 && h("span", { class: "tag" }, app.t("gridUnsent", { n: waiting.length })),
      ),
    ),
    icon("right"),
  );
}

function unsent({ app }: Phone, act: Act): HTMLElement {
  const word = act.refused === null ? app.t("gridWait") : app.t("gridNeedsYou");
  return h(
    "a",
    { class: "card", href: "#waiting" },
    h(
      "span",
      { class: "what" },
      h("b", {}, act.title),
      h("span", { class: "facts" }, h("span", { class: "tag" }, word)),
    ),
    icon("right"),
  );
}

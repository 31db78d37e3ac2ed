/** The log of visits: what was written, and a form for another one. */
import type { Visit } from "../city/care.ts";
import { fill, h, icon, keepingFocus } from "../page/dom.ts";
import { age, moment } from "../words/format.ts";
import { happenedText } from "../words/happened.ts";
import { entryWord } from "./chips.ts";
import type { Phone, View } from "./phone.ts";

export function visitList(phone: Phone): View {
  const { app, care, outbox, lang } = phone;
  const element = h("section", { class: "view visits", aria: { label: app.t("careVisits") } });
  const update = (): void => keepingFocus(element, () => fill(element, ...parts()));
  const parts = (): HTMLElement[] => {
    const waiting = outbox.box().acts.filter(({ doing }) => doing.kind === "visit");
    const asOf = care.asOf();
    const nothing = app.t(asOf === null ? "careFirstOnline" : "careNoVisits");
    const list = h(
      "div",
      { class: "scroll" },
      h("p", { class: "told" }, app.t("careNoPrivacy")),
      ...(care.reached() || asOf === null
        ? []
        : [h("p", { class: "told" }, app.t("careAsOf", { age: age(lang, asOf) }))]),
      ...(care.visits().length + waiting.length === 0 ? [h("p", { class: "nothing" }, nothing)] : []),
      h(
        "ul",
        { class: "cards" },
        ...waiting.map(({ title, refused }) => {
          const word = app.t(refused === null ? "gridWait" : "gridNeedsYou");
          return h(
            "li",
            {},
            h("a", { class: "card", href: "#waiting" }, h("b", {}, title), h("span", { class: "tag" }, word)),
          );
        }),
        ...care.visits().map((visit) => h("li", {}, row(phone, visit))),
      ),
    );
    const add = h(
      "a",
      { class: "primary big", href: "#visits/new", data: { key: "new-visit" } },
      icon("plus"),
      app.t("careNewVisit"),
    );
    return [list, ...(care.rights.write ? [h("div", { class: "actions" }, add)] : [])];
  };
  return { element, update, show: update };
}

function row({ app, lang, care }: Phone, visit: Visit): HTMLElement {
  const words = care.words();
  const linked = { needs: visit.needs.length, incidents: visit.incidents.length };
  return h(
    "div",
    { class: "act", data: { visit: String(visit.id) } },
    h("b", {}, `${entryWord(words?.visits, visit.kind, lang)} · ${entryWord(words?.outcomes, visit.outcome, lang)}`),
    visit.words !== null && h("p", {}, visit.words),
    h(
      "p",
      { class: "told" },
      `${app.t("careVisitAt", { time: moment(lang, visit.visited_at) })}${happenedText(lang, visit.visited_at, visit.at, null)}`,
    ),
    linked.needs + linked.incidents > 0 && h("p", { class: "told" }, app.t("careLinked", linked)),
    visit.scenario !== null && h("span", { class: "tag" }, app.t("gridExercise")),
  );
}

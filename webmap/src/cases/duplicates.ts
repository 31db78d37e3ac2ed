/** Cases that may be the same: near, recent, of the same kind and in similar words; one is merged into another. */

import type { Case, Duplicate } from "../city/incidents.ts";
import * as api from "../city/incidents.ts";
import { h } from "../page/dom.ts";
import { age, number } from "../words/format.ts";
import { type Bench, button, codeWord } from "./bench.ts";

/** They come by themselves, and only to those who may merge; of none nothing is shown. */
export function duplicatesView(
  bench: Bench,
  { incident, offers }: Case,
  merge: (into: string) => void,
  signal: AbortSignal,
): HTMLElement {
  const { app } = bench;
  const element = h("section", { class: "duplicates", hidden: true });
  const offer = offers.find(({ step }) => step === "merge");
  if (offer?.allowed !== true) return element;
  const { channel, matter, lon, lat, title, description } = incident;
  api.duplicates({ channel, matter, lon, lat, title, ...(description === null ? {} : { description }) }, signal).then(
    ({ duplicates }) => {
      const others = duplicates.filter(({ id }) => id !== incident.id);
      element.hidden = others.length === 0;
      const lines = others.map((each) =>
        h(
          "li",
          {},
          duplicateWords(bench, each),
          button(app.t("caseMergeInto"), () => merge(each.id), "link"),
        ),
      );
      element.append(h("h3", {}, app.t("caseDuplicates", { n: others.length })), h("ul", {}, ...lines));
    },
    () => undefined, // it is an offer: without one the case goes on
  );
  return element;
}

export function duplicateWords(bench: Bench, found: Duplicate): HTMLElement {
  const { app } = bench;
  const { lang } = app.store.get();
  const open = button(found.title, () => bench.go({ beside: { kind: "case", id: found.id } }), "link");
  const facts = [
    found.id,
    codeWord(bench, "state", found.state),
    app.t("caseMetres", { n: number(lang, Math.round(found.distance_m)) }),
    app.t("caseAlike", { n: Math.round(found.similarity * 100) }),
    age(lang, found.reported_at),
  ];
  return h("span", {}, open, h("span", { class: "hint" }, facts.join(" · ")));
}

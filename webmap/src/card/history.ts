/** What happened to a record, in words: who or which delivery changed what, when; and the way back to a version. */

import type { Item, LayerDetail, Version } from "../city/api.ts";
import * as items from "../city/items.ts";
import { fieldTitle, present } from "../map/facts.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { failure } from "../page/why.ts";
import { age, deliveryWord, fact, moment, number } from "../words/format.ts";
import { type Event, eventsOf } from "./changes.ts";
import { section } from "./content.ts";

/** `goBack` is there for those who may edit: it puts the record back to the version that began at a time. */
export function historyList(
  app: App,
  layer: LayerDetail,
  { id, now }: { id: string; now: Item | null },
  goBack?: (since: string) => void,
): HTMLElement {
  const load = async (): Promise<HTMLElement[]> => {
    const list = h("div", { class: "events" });
    const versions: Version[] = [];
    let next: string | null = null;
    const add = (page: { versions: Version[]; next: string | null }) => {
      versions.push(...page.versions);
      next = page.next;
      const events = eventsOf(now, versions, next !== null);
      const lines = events.map((event, index) => line(app, layer, event, index === 0 && now ? undefined : goBack));
      fill(list, ...lines, next === null ? null : more);
    };
    const more = h("button", { type: "button", class: "more" }, app.t("historyMore"));
    more.onclick = () => {
      if (next === null) return;
      items.historyAt(next).then(add, (error: unknown) => {
        more.textContent = `${failure(app, error)} ${app.t("retry")}`;
      });
    };
    add(await items.history(layer.name, id));
    return [list];
  };
  return section(app, "history", app.t("history"), load);
}

function line(app: App, layer: LayerDetail, event: Event, goBack?: (since: string) => void): HTMLElement {
  const { lang } = app.store.get();
  const { at, actor, delivery, kind } = event;
  const when = at === null ? app.t("unknown") : h("time", { dateTime: at, title: age(lang, at) }, moment(lang, at));
  const who = delivery ? app.t("deliveredBy", { title: deliveryWord(lang, delivery), id: delivery.id }) : actor;
  const back =
    goBack && at !== null && kind !== "retired"
      ? h("button", { type: "button", class: "door", onclick: () => goBack(at) }, app.t("restoreThis"))
      : null;
  return h(
    "div",
    { class: "version" },
    h("p", { class: "kicker" }, when, who ? ` · ${who}` : null),
    ...said(app, layer, event),
    back,
  );
}

function said(app: App, layer: LayerDetail, event: Event): HTMLElement[] {
  const { lang } = app.store.get();
  const words = (text: string) => h("p", {}, text);
  if (event.kind === "recorded") return [words(app.t("historyFirst"))];
  if (event.kind === "retired") return [words(app.t("historyRetired"))];
  const value = (name: string, of: unknown) => {
    const field = layer.fields.find((each) => each.name === name);
    if (!present(of)) return app.t("none");
    return field ? fact(lang, layer, field, of as string) : String(of);
  };
  const lines = event.changes.map(({ name, before, after }) =>
    h(
      "p",
      {},
      `${fieldTitle(app, layer.fields, name)} `,
      h("s", {}, value(name, before)),
      " → ",
      h("b", {}, value(name, after)),
    ),
  );
  if (event.moved_m !== null) {
    const digits = event.moved_m < 10 ? 1 : 0;
    lines.push(words(app.t("historyMoved", { n: number(lang, event.moved_m, digits) })));
  }
  if (event.reshaped) lines.push(words(app.t("historyShape")));
  if (event.kind === "revived") lines.unshift(words(app.t("historyRevived")));
  return lines.length > 0 ? lines : [words(app.t("historySame"))];
}

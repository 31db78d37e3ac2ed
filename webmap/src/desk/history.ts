/** What a record was before: its versions, each with what changed, fetched when someone opens the list. */
import * as api from "../city/api.ts";
import { fieldTitle, present } from "../map/facts.ts";
import { type App, reason } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { fact, moment } from "../words/format.ts";

export function historyList(app: App, layer: api.LayerDetail, id: string): HTMLElement {
  const list = h("div", {}, app.t("loading"));
  const details = h("details", { class: "history" }, h("summary", {}, app.t("history")), list);
  let asked = false;
  details.ontoggle = () => {
    if (asked || !details.open) return;
    asked = true;
    api.history(layer.name, id).then(
      ({ versions }) => fill(list, ...lines(app, layer, versions)),
      (error: unknown) => {
        asked = false; // opening it again asks again
        fill(list, app.t("failed", { why: reason(error) }));
      },
    );
  };
  return details;
}

function lines(app: App, layer: api.LayerDetail, versions: readonly api.Version[]): HTMLElement[] {
  const order = [...versions].sort((a, b) => (a.from ?? "").localeCompare(b.from ?? ""));
  if (order.length < 2) return [h("p", { class: "empty" }, app.t("historyNone"))];
  return order
    .map((version, index) => {
      const when = version.from === null ? app.t("unknown") : moment(version.from);
      return h(
        "div",
        { class: "version" },
        h("p", { class: "kicker" }, [when, version.actor].filter(Boolean).join(" · ")),
        ...changes(app, layer, order[index - 1], version),
      );
    })
    .reverse();
}

function changes(app: App, layer: api.LayerDetail, before: api.Version | undefined, after: api.Version): HTMLElement[] {
  if (before === undefined) return [h("p", {}, app.t("historyFirst"))];
  const said = (name: string, value: unknown) => {
    const field = layer.fields.find((each) => each.name === name);
    if (!present(value)) return "–";
    return field ? fact(app.store.get().lang, layer, field, value as string) : String(value);
  };
  return Object.keys({ ...before.properties, ...after.properties })
    .filter((name) => (before.properties[name] ?? null) !== (after.properties[name] ?? null))
    .map((name) =>
      h(
        "p",
        {},
        `${fieldTitle(app, layer.fields, name)}: `,
        h("s", {}, said(name, before.properties[name])),
        ` → ${said(name, after.properties[name])}`,
      ),
    );
}

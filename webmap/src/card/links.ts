/** The ways out of a card: its own link, as text and as a QR code, its data, and the list of its like. */
import type { Item, LayerDetail, LonLat } from "../city/api.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { withClause } from "../page/conditions.ts";
import { copied } from "../page/copy.ts";
import { h, icon } from "../page/dom.ts";
import { action } from "./content.ts";
import { dialogOf } from "./dialogs.ts";
import { qrCode } from "./qr.ts";

/** The link is the page's own address: whoever opens it sees this card over this view. */
export function linkButton(app: App): HTMLElement {
  const button = action("link", app.t("copyLink"), () => void copied(app, button, location.href));
  return button;
}

/** The shortest link that opens the card, close to where it is: a code of few and therefore big modules. */
export function shortLink(app: App, { layer, id }: Item, [lon, lat]: LonLat): string {
  const { lang } = app.store.get();
  const at = `at=17/${lat.toFixed(5)}/${lon.toFixed(5)}`;
  const open = `open=${encodeURIComponent(layer)}/${encodeURIComponent(id)}`;
  return `${location.origin}${location.pathname}#${at}${lang === "zh" ? "" : `&lang=${lang}`}&${open}`;
}

export function linksRow(app: App, layer: LayerDetail, record: Item, middle: LonLat): HTMLElement {
  const link = shortLink(app, record, middle);
  const showCode = () => {
    const text = h("p", { class: "hint link-text" }, link);
    dialogOf(app, app.t("qrCode"), qrCode(link, app.t("qrHint")), h("p", { class: "hint" }, app.t("qrHint")), text);
  };
  const data = `/ogc/collections/${encodeURIComponent(layer.name)}/items/${encodeURIComponent(record.id)}`;
  return h(
    "div",
    { class: "links" },
    action("qr", app.t("qrCode"), showCode),
    listButton(app, layer, record),
    // A link takes no token along.
    layer.access.view === "public"
      ? h("a", { href: data, target: "_blank", rel: "noopener" }, app.t("openRecord"))
      : null,
  );
}

/** Lists what is of the record's class in its town. */
function listButton(app: App, layer: LayerDetail, { properties, context }: Item): HTMLElement {
  const list = () => {
    const { conditions } = app.store.get();
    const value = layer.classes === null ? null : properties[layer.classes];
    const area = context.town?.id ?? context.county?.id;
    let wanted = conditions[layer.name];
    if (layer.classes !== null && layer.fields.some((field) => field.name === layer.classes && field.filter))
      wanted = withClause(wanted, layer.classes, { in: [value == null ? null : String(value)] });
    if (area !== undefined) wanted = withClause(wanted, "admin_code", { starts: area });
    app.store.set({ conditions: { ...conditions, [layer.name]: wanted ?? {} }, listed: layer.name });
  };
  const button = h(
    "button",
    { type: "button", title: app.t("asListHint"), onclick: list },
    icon("list"),
    app.t("asList"),
  );
  return button;
}

/** What the foot of every card of a record begins with. */
export function goThere(app: App, cityMap: CityMap, place: Parameters<CityMap["goTo"]>[0]): HTMLElement {
  return action("target", app.t("zoomTo"), () => cityMap.goTo(place));
}

/** Where a thing is: its grid, town and county as doors to their cards, and its coordinates in a chosen frame. */
import type { DutyGrid, LayerDetail, Named, Reverse } from "../city/api.ts";
import { FRAMES, meantFor, written } from "../city/frames.ts";
import type { App } from "../page/app.ts";
import { copyButton } from "../page/copy.ts";
import { fill, h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import { frameName, frameSelect } from "./coordinates.ts";
import { row } from "./facts.ts";

interface Context {
  cell: string;
  grid: Named | null;
  dutyGrid?: DutyGrid | null;
  town: Named | null;
  county: Named | null;
  placeMethod?: string | null;
  placePrecision?: string | null;
}

/** Rows of a description list; `layer` gives the books for how the place was found. */
export function placeRows(
  app: App,
  lon: number,
  lat: number,
  context: Context,
  address: Reverse["address"],
  layer?: LayerDetail,
): HTMLElement[] {
  const { lang } = app.store.get();
  const book = (name: string, code: string) => layer?.books[name]?.[code]?.[lang] ?? code;
  const rows = [
    area(app, "grid", app.t("grid"), context.grid),
    area(app, "duty_grid", app.t("dutyGrid"), context.dutyGrid ?? null),
    responsible(app, context.dutyGrid ?? null),
    dutyDesk(app, context.dutyGrid ?? null),
    area(app, "town", app.t("town"), context.town),
    area(app, "county", app.t("county"), context.county),
    address &&
      row(app.t("address"), `${address.text} · ${app.t("metresAway", { n: number(lang, address.distance_m) })}`),
    coordinatesRow(app, lon, lat),
    allFrames(app, lon, lat),
    row(app.t("cell"), h("code", {}, context.cell), copyButton(app, context.cell)),
    context.placeMethod ? row(app.t("method"), book("place_method", context.placeMethod)) : null,
    context.placePrecision ? row(app.t("precision"), book("place_precision", context.placePrecision)) : null,
  ];
  return rows.filter((each) => each !== null);
}

function area(app: App, layer: string, title: string, named: Named | null): HTMLElement | null {
  if (named === null) return null;
  if (!app.city.layer(layer)) return row(title, named.name);
  const open = () => app.store.set({ selected: { kind: "item", layer, id: named.id } });
  return row(title, h("button", { type: "button", class: "door", onclick: open }, named.name));
}

/** The unit that answers for the place: people have no names here. */
function responsible(app: App, duty: DutyGrid | null): HTMLElement | null {
  const [unit, team] = [duty?.department, duty?.team].filter((name) => name != null && name !== "");
  return unit ? row(app.t("responsible"), unit, team ? h("span", { class: "code" }, team) : null) : null;
}

/** What can be dialled as it stands: digits and what people put between them. */
const DIALLED = /^\+?[\d\s()-]{3,}$/;

/** The unit's duty desk, one tap away on a telephone. */
function dutyDesk(app: App, duty: DutyGrid | null): HTMLElement | null {
  const phone = duty?.duty_phone;
  if (!phone) return null;
  const said = DIALLED.test(phone)
    ? h("a", { class: "tel", href: `tel:${phone.replace(/[^\d+]/g, "")}` }, phone)
    : h("span", {}, phone);
  const invented = duty?.synthetic ? h("strong", { class: "badge" }, app.t("synthetic")) : null;
  return row(app.t("dutyPhone"), said, copyButton(app, phone), invented);
}

/** The place in every frame at once, for those who copy it into another system. */
function allFrames(app: App, lon: number, lat: number): HTMLElement {
  const lines = () =>
    FRAMES.map((frame) => {
      const text = written(frame, lon, lat);
      const value = h("span", { class: "figures-text" }, text);
      value.classList.toggle("doubtful", !meantFor(frame, lon));
      if (!meantFor(frame, lon)) value.title = app.t("outsideFrame");
      return row(frameName(app, frame), value, copyButton(app, text));
    });
  const list = h("dl", { class: "frames" });
  const details = h(
    "details",
    { class: "all-frames", data: { section: "frames" } },
    h("summary", {}, app.t("allFrames")),
    list,
  );
  details.ontoggle = () => fill(list, ...(details.open ? lines() : []));
  // A term with a list of its own: what a description list may hold.
  return h("div", { class: "fact wide" }, h("dt", { class: "hidden-text" }, app.t("frame")), h("dd", {}, details));
}

function coordinatesRow(app: App, lon: number, lat: number): HTMLElement {
  const { frame } = app.store.get();
  const text = written(frame, lon, lat);
  const value = h("span", { class: "figures-text" }, text);
  if (!meantFor(frame, lon)) value.title = app.t("outsideFrame");
  value.classList.toggle("doubtful", !meantFor(frame, lon));
  const line = row(app.t("coordinates"), value, copyButton(app, text), frameSelect(app));
  // The row follows the chosen frame as long as it is on the page.
  const stop = app.store.on(["frame"], () => {
    stop();
    if (line.isConnected) line.replaceWith(coordinatesRow(app, lon, lat));
  });
  return line;
}

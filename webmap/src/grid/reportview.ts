/** A report in a few taps: what, where, a photo, a few words. */
import type { LonLat } from "../city/api.ts";
import { duplicates, type Report } from "../city/incidents.ts";
import { newKey } from "../city/items.ts";
import { fill, h, icon } from "../page/dom.ts";
import { localCase } from "./acts.ts";
import { BLANK, type Draft, missing, type Placed, reportOf } from "./draft.ts";
import { type Book, favourites, findMatters, type Often } from "./matters.ts";
import { distanceText } from "./near.ts";
import type { Done } from "./outbox.ts";
import { done, type Phone, type View } from "./phone.ts";
import { photoField, type Taken } from "./photos.ts";

/** What the page does for a report. */
export interface Places {
  /** The middle of the worker's grid; null where there is none. */
  middle: LonLat | null;
  pick(from: LonLat | null): Promise<LonLat | null>;
}

export interface ReportView extends View {
  /** Begin anew with what was refused; `filed` is told when that has taken its place. */
  amend(body: Report, photos: readonly Taken[], filed: () => Promise<void>): void;
}

const OFTEN = "often";

export function reportView(phone: Phone, places: Places): ReportView {
  const { app, lang, shift } = phone;
  let draft: Draft = BLANK;
  let often: Often = {};
  let replaced = async (): Promise<void> => undefined;
  const wrong = h("p", { class: "wrong", role: "alert" });
  const matter = h("div", { class: "matter" });
  const place = h("div", { class: "place" });
  const alike = h("div", { class: "alike", role: "status" });
  const text = h("textarea", { id: "what", rows: 3, maxLength: 2000, placeholder: app.t("gridWhatHint") });
  const urgent = h("input", { type: "checkbox", id: "urgent" });
  const photos = photoField(phone);
  const book = (): Book => app.city.known("incident")?.books.matter ?? {};
  const nameOf = (code: string): string => book()[code]?.[lang] ?? code;
  const set = (part: Partial<Draft>): void => {
    draft = { ...draft, ...part };
  };

  const chosen = (code: string | null): void => {
    set({ matter: code });
    fill(matter, ...(code === null ? search() : [picked(code)]));
    if (code !== null) void lookForAlike();
  };
  const picked = (code: string): HTMLElement =>
    h(
      "p",
      { class: "picked" },
      h("b", {}, nameOf(code)),
      h("button", { type: "button", class: "outlined", onclick: () => chosen(null) }, app.t("gridMatterChange")),
    );
  const chip = (code: string): HTMLElement =>
    h(
      "li",
      {},
      h("button", { type: "button", class: "chip", data: { matter: code }, onclick: () => chosen(code) }, nameOf(code)),
    );
  const search = (): HTMLElement[] => {
    if (Object.keys(book()).length === 0) return [h("p", { class: "told" }, app.t("gridNoMatters"))];
    const results = h("ul", { class: "chips", aria: { live: "polite" } });
    const input = h("input", {
      type: "search",
      id: "matter",
      placeholder: app.t("gridMatterSearch"),
      autocomplete: "off",
    });
    const offer = (): void => {
      const found = findMatters(book(), input.value, often);
      if (found.length > 0) fill(results, ...found.map(chip));
      else if (input.value.trim() === "") fill(results, ...favourites(book(), often).map(chip));
      else fill(results, h("li", { class: "told" }, app.t("gridMatterNone")));
    };
    input.oninput = offer;
    offer();
    return [h("label", { htmlFor: "matter" }, app.t("gridMatter")), input, results];
  };

  const put = (at: LonLat, how: Placed): void => {
    set({ place: { at, how } });
    showPlace();
    void lookForAlike();
  };
  const showPlace = (): void => {
    const position = shift.position()?.at ?? null;
    const way = (how: Placed, word: string, at: LonLat | null | (() => Promise<LonLat | null>)): HTMLElement => {
      const button = h(
        "button",
        { type: "button", class: "chip", aria: { pressed: String(draft.place?.how === how) } },
        word,
      );
      button.disabled = at === null;
      button.onclick = async () => {
        const found = typeof at === "function" ? await at() : at;
        if (found !== null) put(found, how);
      };
      return button;
    };
    const told = draft.place === null ? app.t("gridPlaceNone") : placeText(phone, draft.place.at);
    fill(
      place,
      h("p", { class: "label", id: "place" }, app.t("gridPlace")),
      h(
        "div",
        { class: "chips", role: "group", aria: { labelledby: "place" } },
        way("position", app.t("gridPlaceHere"), position),
        way("map", app.t("gridPlaceMap"), () => places.pick(draft.place?.at ?? position ?? places.middle)),
        way("grid", app.t("gridPlaceGrid"), places.middle),
      ),
      h("p", { class: "told" }, told),
    );
  };
  const lookForAlike = async (): Promise<void> => {
    fill(alike);
    const { matter: code, place } = draft;
    if (code === null || place === null || !navigator.onLine) return;
    const { lon = 0, lat = 0, description, channel } = reportOf({ ...draft, text: text.value }, nameOf(code));
    const asked = { channel, matter: code, lon, lat, title: nameOf(code), description };
    const found = await duplicates(asked).catch(() => null);
    if (found === null || found.duplicates.length === 0) return; // it is only an offer
    const rows = found.duplicates.map(({ title, distance_m }) => h("li", {}, `${title} · ${distanceText(distance_m)}`));
    fill(alike, h("b", {}, app.t("gridAlready")), h("ul", {}, ...rows), h("p", {}, app.t("gridAlreadyHint")));
  };

  const update = (): void => {
    const at = shift.position()?.at;
    if (draft.place === null && at !== undefined) put(at, "position");
    else showPlace();
  };
  const begin = (): void => {
    draft = BLANK;
    replaced = async () => undefined;
    text.value = "";
    urgent.checked = false;
    photos.put([]);
    fill(alike);
    wrong.textContent = "";
    chosen(null);
    update();
  };
  const file = async (): Promise<void> => {
    set({ text: text.value, urgent: urgent.checked, photos: photos.taken().length });
    const lacks = missing(draft);
    const words = { matter: "gridMatter", place: "gridPlace", text: "gridProof" } as const;
    wrong.textContent =
      lacks.length === 0 ? "" : app.t("gridLacks", { what: lacks.map((each) => app.t(words[each])).join("、") });
    const { matter: code } = draft;
    if (lacks.length > 0 || code === null) return;
    if (!(await done(phone, actsOf(reportOf(draft, nameOf(code)), nameOf(code), photos.taken())))) return;
    await replaced();
    often = { ...often, [code]: (often[code] ?? 0) + 1 };
    await phone.kept.setFact(OFTEN, often);
    phone.say(app.t("gridFiled", { where: app.t(navigator.onLine ? "gridFiledOnline" : "gridFiledOffline") }));
    begin();
    location.hash = "#waiting";
  };
  void phone.kept.fact<Often>(OFTEN).then((known) => {
    often = known ?? {};
    if (draft.matter === null) chosen(null);
  });
  const scroll = h(
    "div",
    { class: "scroll" },
    matter,
    place,
    alike,
    h("label", { htmlFor: "what" }, app.t("gridWhat")),
    text,
    photos.element,
    h("label", { class: "check", htmlFor: "urgent" }, urgent, app.t("gridLevelUrgent")),
  );
  const actions = h(
    "div",
    { class: "actions" },
    wrong,
    h(
      "button",
      { type: "button", class: "primary big", id: "file", onclick: () => void file() },
      icon("plus"),
      app.t("gridFile"),
    ),
  );
  begin();
  return {
    element: h("section", { class: "view report", aria: { label: app.t("gridReport") } }, scroll, actions),
    show() {
      if (draft.matter === null && document.activeElement?.id !== "matter") chosen(null); // the book may have come meanwhile
      update();
    },
    update,
    amend(body, taken, filed) {
      begin();
      replaced = filed;
      text.value = body.description;
      urgent.checked = body.level === "urgent";
      photos.put(taken);
      chosen(body.matter ?? null);
      if (body.lon !== undefined && body.lat !== undefined) put([body.lon, body.lat], "map");
    },
  };
}

/** "31.97612°N 120.88940°E". */
function placeText({ app }: Phone, [lon, lat]: LonLat): string {
  return app.t("gridPlaceAt", { lon: lon.toFixed(5), lat: lat.toFixed(5) });
}

function actsOf(body: Report, name: string, taken: readonly Taken[]): Done[] {
  const key = newKey();
  const of = localCase(key);
  return [
    { of, key, title: name, doing: { kind: "report", body: { ...body } } },
    ...taken.map(
      ({ key: own, blob }): Done => ({
        of,
        key: own,
        title: name,
        doing: { kind: "photo", ofReport: true },
        photo: blob,
      }),
    ),
  ];
}

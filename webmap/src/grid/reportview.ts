/** A report in a few taps: what, where, a photo, a few words. */
import type { LonLat } from "../city/api.ts";
import type { Report } from "../city/incidents.ts";
import { newKey } from "../city/items.ts";
import { h, icon } from "../page/dom.ts";
import { localCase } from "./acts.ts";
import { alikeBox } from "./alike.ts";
import { type Draft, missing, reportOf } from "./draft.ts";
import { matterField } from "./matterfield.ts";
import type { Done } from "./outbox.ts";
import { done, type Phone, type View } from "./phone.ts";
import { photoField, type Taken } from "./photos.ts";
import { type Places, placeField } from "./placefield.ts";

/** What follows a report once it is kept; `of` is what the case is called until it has a number. */
export type Filed = (of: string) => Promise<void>;

export interface ReportView extends View {
  /** Begin anew with what was refused; `filed` is told when that has taken its place. */
  amend(body: Report, photos: readonly Taken[], filed: Filed): void;
  /** Begin one at a place, with words that are there already. */
  prefill(at: LonLat, words: string, filed: Filed): void;
}

export function reportView(phone: Phone, places: Places): ReportView {
  const { app } = phone;
  const wrong = h("p", { class: "wrong", role: "alert" });
  const text = h("textarea", { id: "what", rows: 3, maxLength: 2000, placeholder: app.t("gridWhatHint") });
  const urgent = h("input", { type: "checkbox", id: "urgent" });
  const photos = photoField(phone);
  const alike = alikeBox(phone);
  const matter = matterField(phone, () => lookForAlike());
  const place = placeField(phone, places, { back: "report", changed: () => lookForAlike() });
  let after: Filed = async () => undefined;

  const draft = (): Draft => ({
    ...{ matter: matter.value(), place: place.value(), text: text.value, urgent: urgent.checked },
    photos: photos.taken().length,
  });
  const told = (code: string): Report => reportOf(draft(), matter.nameOf(code), channelOf(phone));
  const lookForAlike = (): void => {
    const code = matter.value();
    alike.clear();
    if (code !== null && place.value() !== null && phone.may("incident.view"))
      void alike.look({ ...told(code), title: matter.nameOf(code) });
  };
  const begin = (): void => {
    after = async () => undefined;
    text.value = "";
    urgent.checked = false;
    photos.put([]);
    alike.clear();
    wrong.textContent = "";
    place.clear();
    matter.choose(null);
    place.update();
  };
  const file = async (): Promise<void> => {
    const lacks = missing(draft());
    const words = { matter: "gridMatter", place: "gridPlace", text: "gridProof" } as const;
    wrong.textContent =
      lacks.length === 0 ? "" : app.t("gridLacks", { what: lacks.map((each) => app.t(words[each])).join("、") });
    const code = matter.value();
    if (lacks.length > 0 || code === null) return;
    const key = newKey();
    const of = localCase(key);
    if (!(await done(phone, actsOf(told(code), { key, of, title: matter.nameOf(code) }, photos.taken())))) return;
    await after(of);
    await matter.count(code);
    phone.say(app.t("gridFiled", { where: app.t(navigator.onLine ? "gridFiledOnline" : "gridFiledOffline") }));
    begin();
    location.hash = "#waiting";
  };
  begin();
  return {
    element: layOut(phone, { matter, place, alike, text, photos, urgent, wrong, file }),
    show() {
      // The book may have come meanwhile.
      if (matter.value() === null && document.activeElement?.id !== "matter") matter.choose(null);
      place.update();
    },
    update: place.update,
    amend(body, taken, filed) {
      begin();
      after = filed;
      text.value = body.description;
      urgent.checked = body.level === "urgent";
      photos.put(taken);
      matter.choose(body.matter ?? null);
      if (body.lon !== undefined && body.lat !== undefined) place.put([body.lon, body.lat], "map");
    },
    prefill(at, words, filed) {
      begin();
      after = filed;
      text.value = words;
      place.put(at, "map");
    },
  };
}

interface Parts {
  matter: { element: HTMLElement };
  place: { element: HTMLElement };
  alike: { element: HTMLElement };
  text: HTMLTextAreaElement;
  photos: { element: HTMLElement };
  urgent: HTMLInputElement;
  wrong: HTMLElement;
  file: () => Promise<void>;
}

function layOut({ app }: Phone, { matter, place, alike, text, photos, urgent, wrong, file }: Parts): HTMLElement {
  const scroll = h(
    "div",
    { class: "scroll" },
    matter.element,
    place.element,
    alike.element,
    h("label", { htmlFor: "what" }, app.t("gridWhat")),
    text,
    photos.element,
    h("label", { class: "check", htmlFor: "urgent" }, urgent, app.t("gridLevelUrgent")),
  );
  const button = h(
    "button",
    { type: "button", class: "primary big", id: "file", onclick: () => void file() },
    icon("plus"),
    app.t("gridFile"),
  );
  const actions = h("div", { class: "actions" }, wrong, button);
  return h("section", { class: "view report", aria: { label: app.t("gridReport") } }, scroll, actions);
}

/** A worker's reports are verified already; those of volunteers are the public's. */
const channelOf = (phone: Phone): string => (phone.may("incident.verify") ? "worker" : "public");

function actsOf(body: Report, made: { key: string; of: string; title: string }, taken: readonly Taken[]): Done[] {
  const { of, title } = made;
  return [
    { ...made, doing: { kind: "report", body: { ...body } } },
    ...taken.map(({ key, blob }): Done => ({ of, key, title, doing: { kind: "photo", ofReport: true }, photo: blob })),
  ];
}

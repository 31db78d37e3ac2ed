/** A visit in a few taps: what for, what came of it, where, and what was taken down or reported on the way. */
import { newKey } from "../city/items.ts";
import { fill, h, icon } from "../page/dom.ts";
import type { Fill } from "./acts.ts";
import { localCase } from "./acts.ts";
import { chips, entryWord } from "./chips.ts";
import { rounded } from "./needform.ts";
import { done, type Phone, type View } from "./phone.ts";
import { type Places, placeField } from "./placefield.ts";
import type { Recent } from "./recent.ts";

/** What was refused comes back to be changed. */
export interface VisitBody {
  kind?: string;
  outcome?: string;
  lon?: number;
  lat?: number;
  words?: string;
}
export interface VisitForm extends View {
  amend(body: VisitBody, filed: () => Promise<void>): void;
}

export function visitForm(phone: Phone, places: Places, recent: () => Promise<readonly Recent[]>): VisitForm {
  const { app, lang, care } = phone;
  const wrong = h("p", { class: "wrong", role: "alert" });
  const kind = chips(lang, { name: "visit", label: app.t("careVisitKind"), changed: () => undefined });
  const outcome = chips(lang, { name: "outcome", label: app.t("careOutcome"), changed: () => undefined });
  const place = placeField(phone, places, { back: "visits/new", changed: () => undefined });
  const words = h("textarea", { id: "visit-words", rows: 3, maxLength: 2000, placeholder: app.t("careNoPrivacy") });
  const when = h("input", { id: "visit-when", type: "datetime-local" });
  const links = h("div", { class: "links" });
  let offered: readonly Recent[] = [];
  let after = async (): Promise<void> => undefined;

  const offer = (): void => {
    const books = care.words();
    kind.offer([{ title: "", entries: books?.visits ?? [] }]);
    outcome.offer([{ title: "", entries: books?.outcomes ?? [] }]);
  };
  const offerLinks = async (): Promise<void> => {
    const ticked = new Set(chosen().map(({ of }) => of));
    offered = await recent();
    fill(
      links,
      ...(offered.length === 0 ? [] : [h("p", { class: "label" }, app.t("careLinks"))]),
      ...offered.map(({ of, title, kind }, n) => {
        const box = h("input", { type: "checkbox", id: `link-${n}`, checked: ticked.has(of), value: of });
        return h("label", { class: "check", htmlFor: `link-${n}` }, box, `${app.t(`gridKind_${kind}`)} · ${title}`);
      }),
    );
  };
  const chosen = (): Recent[] => {
    const ticked = [...links.querySelectorAll<HTMLInputElement>("input:checked")].map(({ value }) => value);
    return offered.filter(({ of }) => ticked.includes(of));
  };
  const begin = (): void => {
    after = async () => undefined;
    [words.value, when.value, wrong.textContent] = ["", "", ""];
    for (const each of [kind, outcome]) each.choose(null);
    fill(links);
    place.clear();
    offer();
    place.update();
  };
  const told = (): Record<string, unknown> => {
    const at = place.value()?.at ?? [0, 0];
    return {
      ...{ kind: kind.value(), outcome: outcome.value(), lon: rounded(at[0]), lat: rounded(at[1]) },
      ...(words.value.trim() === "" ? {} : { words: words.value.trim() }),
      ...(when.value === "" ? {} : { happened_at: new Date(when.value).toISOString() }),
    };
  };
  const file = async (): Promise<void> => {
    const lacks = [
      ...(kind.value() === null ? ["careVisitKind" as const] : []),
      ...(outcome.value() === null ? ["careOutcome" as const] : []),
      ...(place.value() === null ? ["carePlace" as const] : []),
    ];
    wrong.textContent =
      lacks.length === 0 ? "" : app.t("careLacks", { what: lacks.map((each) => app.t(each)).join("、") });
    const code = kind.value();
    if (lacks.length > 0 || code === null) return;
    const key = newKey();
    const fills = chosen().map(
      ({ of, kind }): Fill => ({ field: kind === "need" ? "needs" : "incidents", of, many: true }),
    );
    const title = entryWord(care.words()?.visits, code, lang);
    const doing = { kind: "visit" as const, path: "/visits", body: told(), fills, expected: null };
    if (!(await done(phone, [{ of: localCase(key), key, title, doing }]))) return;
    await after();
    phone.say(app.t("gridFiled", { where: app.t(navigator.onLine ? "gridFiledOnline" : "gridFiledOffline") }));
    begin();
    location.hash = "#visits";
  };
  const scroll = h(
    "div",
    { class: "scroll" },
    kind.element,
    outcome.element,
    place.element,
    h("label", { htmlFor: "visit-words" }, app.t("careWords")),
    words,
    h("label", { htmlFor: "visit-when" }, app.t("careWhen")),
    when,
    links,
  );
  const submit = h(
    "button",
    { type: "button", class: "primary big", id: "write-visit", onclick: () => void file() },
    icon("plus"),
    app.t("careWrite"),
  );
  const actions = h("div", { class: "actions" }, wrong, submit);
  begin();
  return {
    element: h("section", { class: "view visitform", aria: { label: app.t("careNewVisit") } }, scroll, actions),
    show() {
      offer();
      void offerLinks();
      place.update();
    },
    update: place.update,
    amend(body, filed) {
      begin();
      after = filed;
      kind.choose(body.kind ?? null);
      outcome.choose(body.outcome ?? null);
      words.value = body.words ?? "";
      if (body.lon !== undefined && body.lat !== undefined) place.put([body.lon, body.lat], "map");
    },
  };
}

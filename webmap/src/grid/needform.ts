/** A need, taken down in a few taps: what, where, when, how to reach who asked; and who could serve it. */
import { newKey } from "../city/items.ts";
import { fill, h, icon } from "../page/dom.ts";
import { localCase } from "./acts.ts";
import { chips, entryWord } from "./chips.ts";
import { done, type Phone, type View } from "./phone.ts";
import { type Places, placeField } from "./placefield.ts";
import { showServers } from "./servers.ts";

const DIGITS = 1e6;
export const rounded = (value: number): number => Math.round(value * DIGITS) / DIGITS;

/** What was refused comes back to be changed. */
export interface NeedBody {
  kind?: string;
  lon?: number;
  lat?: number;
  words?: string;
  contact?: { name?: string; phone?: string; home?: string };
}
export interface NeedForm extends View {
  amend(body: NeedBody, filed: () => Promise<void>): void;
}

export function needForm(phone: Phone, places: Places, codesOf: () => readonly string[]): NeedForm {
  const { app, lang, care } = phone;
  const wrong = h("p", { class: "wrong", role: "alert" });
  const serving = h("div", { class: "servers", role: "status" });
  const kind = chips(lang, { name: "kind", label: app.t("careKind"), changed: () => suggest() });
  const place = placeField(phone, places, { back: "needs/new", changed: () => suggest() });
  const words = h("textarea", { id: "need-words", rows: 3, maxLength: 2000, placeholder: app.t("careWordsHint") });
  const wish = h("input", { id: "need-wish", type: "datetime-local", onchange: () => suggest() });
  const contact = {
    name: h("input", { id: "need-name", maxLength: 40, autocomplete: "off" }),
    phone: h("input", { id: "need-phone", type: "tel", maxLength: 30, autocomplete: "off" }),
    home: h("input", { id: "need-home", maxLength: 200, autocomplete: "off" }),
  };
  let after = async (): Promise<void> => undefined;

  const suggest = (): void => {
    const [code, spot] = [kind.value(), place.value()];
    const when = wish.value === "" ? null : new Date(wish.value);
    const known = code === null || spot === null ? null : { kind: code, at: spot.at, codes: codesOf(), when };
    showServers(serving, phone, known, null);
  };
  const offer = (): void => {
    const books = care.words();
    if (books === null) return;
    const groups = books.groups.map(({ code, title }) => ({
      title: title[lang],
      entries: books.kinds.filter(({ group }) => group === code),
    }));
    kind.offer(groups.filter(({ entries }) => entries.length > 0));
  };
  const begin = (): void => {
    after = async () => undefined;
    for (const field of [words, wish, ...Object.values(contact)]) field.value = "";
    wrong.textContent = "";
    place.clear();
    kind.choose(null);
    offer();
    place.update();
    suggest();
  };
  const told = (): Record<string, unknown> => {
    const at = place.value()?.at ?? [0, 0];
    const given = Object.entries(contact).map(([name, field]) => [name, field.value.trim()]);
    const reached = Object.fromEntries(given.filter(([, text]) => text !== ""));
    return {
      ...{ kind: kind.value(), lon: rounded(at[0]), lat: rounded(at[1]) },
      ...(words.value.trim() === "" ? {} : { words: words.value.trim() }),
      ...(wish.value === "" ? {} : { wish_at: new Date(wish.value).toISOString() }),
      ...(Object.keys(reached).length === 0 ? {} : { contact: reached }),
    };
  };
  const file = async (): Promise<void> => {
    const code = kind.value();
    const lacks = [
      ...(code === null ? ["careKind" as const] : []),
      ...(place.value() === null ? ["carePlace" as const] : []),
    ];
    wrong.textContent =
      lacks.length === 0 ? "" : app.t("careLacks", { what: lacks.map((each) => app.t(each)).join("、") });
    if (lacks.length > 0 || code === null) return;
    const key = newKey();
    const title = entryWord(care.words()?.kinds, code, lang);
    const doing = { kind: "need" as const, path: "/needs", body: told(), fills: [], expected: null };
    if (!(await done(phone, [{ of: localCase(key), key, title, doing }]))) return;
    await after();
    phone.say(app.t("gridFiled", { where: app.t(navigator.onLine ? "gridFiledOnline" : "gridFiledOffline") }));
    begin();
    location.hash = "#needs";
  };
  const element = h("section", { class: "view needform", aria: { label: app.t("careNewNeed") } });
  const labelled = (id: string, text: string, field: HTMLElement): HTMLElement[] => [
    h("label", { htmlFor: id }, text),
    field,
  ];
  const scroll = h(
    "div",
    { class: "scroll" },
    kind.element,
    place.element,
    ...labelled("need-words", app.t("careWords"), words),
    ...labelled("need-wish", app.t("careWish"), wish),
    h("p", { class: "label" }, app.t("careContact")),
    ...labelled("need-name", app.t("careName"), contact.name),
    ...labelled("need-phone", app.t("carePhone"), contact.phone),
    ...labelled("need-home", app.t("careHome"), contact.home),
    serving,
  );
  const submit = h(
    "button",
    { type: "button", class: "primary big", id: "tell-need", onclick: () => void file() },
    icon("plus"),
    app.t("careTell"),
  );
  fill(element, scroll, h("div", { class: "actions" }, wrong, submit));
  begin();
  return {
    element,
    show() {
      offer();
      place.update();
      suggest();
    },
    update: place.update,
    amend(body, filed) {
      begin();
      after = filed;
      kind.choose(body.kind ?? null);
      words.value = body.words ?? "";
      for (const name of ["name", "phone", "home"] as const) contact[name].value = body.contact?.[name] ?? "";
      if (body.lon !== undefined && body.lat !== undefined) place.put([body.lon, body.lat], "map");
    },
  };
}

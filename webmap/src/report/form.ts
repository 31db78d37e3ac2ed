/** The form of a resident's report: what is seen, which matter that is, where, photos, and how to be reached. */
import type { LonLat } from "../city/api.ts";
import { reverse } from "../city/api.ts";
import { newKey } from "../city/items.ts";
import { addPhoto, file, type Key, likely, services } from "../city/residents.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { BLANK, type Draft, missing, reportOf } from "./draft.ts";
import { findMatters, type Matter, mattersOf } from "./matters.ts";
import { pictures } from "./pictures.ts";
import { type Pin, pinMap } from "./pin.ts";

const PAUSE_MS = 500;
const MOST_TEXT = 2000;

export interface Filed {
  key: Key;
  title: string;
  /** Of how many photos the server took less, and why. */
  lost: string | null;
}

/** The form; `filed` is told once the server has the report. */
export function formView(app: App, filed: (told: Filed) => void): HTMLElement {
  let draft: Draft = BLANK;
  let key = newKey();
  let matters: readonly Matter[] = [];
  let pin: Pin | null = null;
  let asking = new AbortController();
  let pause = 0;
  const set = (patch: Partial<Draft>): void => {
    draft = { ...draft, ...patch };
    key = newKey(); // another report is another one; the same, sent twice, is filed once
  };
  const wrong = h("p", { class: "wrong", role: "alert" });
  const submit = h("button", { type: "submit", class: "primary big" }, app.t("residentSend"));
  const text = h("textarea", {
    id: "resident-text",
    rows: 4,
    maxLength: MOST_TEXT,
    placeholder: app.t("residentTextHint"),
  });
  const chosen = h("div", { class: "matters", role: "group", aria: { labelledby: "resident-matter" } });
  const found = h("div", { class: "chips", aria: { live: "polite" } });
  const search = h("input", { id: "resident-other", type: "search", autocomplete: "off" });
  const address = h("input", { id: "resident-address", maxLength: 200, autocomplete: "street-address" });
  const where = h("p", { class: "hint", aria: { live: "polite" } }, app.t("residentPlaceHint"));
  const ground = h("div", { class: "ground" });
  const photos = pictures(app);
  const name = h("input", { id: "resident-name", maxLength: 50, autocomplete: "name" });
  const phone = h("input", { id: "resident-phone", type: "tel", maxLength: 30, autocomplete: "tel" });

  const nameOf = (one: Matter): string => app.title(one);
  /** Chosen again it is chosen no more. */
  const choose = (one: Matter): void => {
    const off = draft.matter === one.code;
    set({ matter: off ? null : one.code });
    search.value = "";
    fill(found);
    offer(off ? [] : [one], chosen);
    if (off) void guess();
  };
  const offer = (list: readonly Matter[], into: HTMLElement): void =>
    fill(
      into,
      ...list.map((one) =>
        h(
          "button",
          {
            type: "button",
            class: "chip",
            data: { matter: one.code },
            aria: { pressed: String(draft.matter === one.code) },
            onclick: () => choose(one),
          },
          nameOf(one),
        ),
      ),
    );
  const guess = async (): Promise<void> => {
    asking.abort();
    asking = new AbortController();
    if (text.value.trim().length < 2 || draft.matter !== null) return;
    const { signal } = asking;
    const told = await likely(text.value.trim(), signal).catch(() => []); // it is only an offer
    if (signal.aborted || draft.matter !== null) return;
    offer(
      told.map(({ matter, zh, en }) => ({ code: matter, zh, en, also: "" })),
      chosen,
    );
  };
  text.oninput = () => {
    set({ text: text.value });
    clearTimeout(pause);
    pause = window.setTimeout(() => void guess(), PAUSE_MS);
  };
  search.oninput = () => {
    const list = findMatters(matters, search.value);
    offer(list, found);
    if (list.length === 0 && search.value.trim() !== "")
      fill(found, h("p", { class: "hint" }, app.t("residentNoMatter")));
  };
  services().then(
    (told) => {
      matters = mattersOf(told);
    },
    (error: unknown) => {
      wrong.textContent = why(app, error);
    },
  );

  const put = (at: LonLat): void => {
    set({ at });
    pin?.put(at);
    where.textContent = app.t("residentPlaceAt", { lon: at[0].toFixed(5), lat: at[1].toFixed(5) });
    reverse(...at).then(
      (told) => {
        if (draft.at !== at) return;
        const near = [told.county?.name, told.town?.name, told.address?.text].filter(Boolean).join(" ");
        if (near === "") return;
        where.textContent = app.t("residentPlaceNear", { near });
        if (told.address !== null && address.value === "") address.placeholder = told.address.text;
      },
      () => undefined, // the place is known all the same
    );
  };
  const locate = h("button", { type: "button", class: "outlined", onclick: () => here() }, app.t("residentHere"));
  const here = (): void => {
    if (!("geolocation" in navigator)) {
      where.textContent = app.t("residentNoPosition");
      return;
    }
    locate.disabled = true;
    const done = (then: () => void): void => {
      locate.disabled = false;
      then();
    };
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => done(() => put([coords.longitude, coords.latitude])),
      () =>
        done(() => {
          where.textContent = app.t("residentNoPosition");
        }),
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 30_000 },
    );
  };
  pinMap(ground, app, put).then(
    (made) => {
      pin = made;
      if (draft.at !== null) pin.put(draft.at);
      document.documentElement.dataset.ready = "true";
    },
    (error: unknown) => {
      where.textContent = why(app, error);
    },
  );
  address.oninput = () => set({ address: address.value });
  name.oninput = () => set({ name: name.value });
  phone.oninput = () => set({ phone: phone.value });

  const send = async (): Promise<void> => {
    const lacks = missing(draft);
    if (lacks.length > 0) {
      const words = lacks.map((lack) => app.t(`residentLack_${lack}`));
      wrong.textContent = app.t("residentLacks", { what: words.join(app.t("listComma")) });
      const first = { text, matter: search, place: locate }[lacks[0] ?? "text"];
      first.focus();
      return;
    }
    submit.disabled = true;
    wrong.textContent = "";
    try {
      const made = await file(reportOf(draft), key);
      let lost: string | null = null;
      for (const { blob, key: once } of photos.taken())
        await addPhoto(made, blob, once).catch((error: unknown) => {
          lost = why(app, error);
        });
      filed({ key: made, title: draft.text.trim().slice(0, 40), lost });
    } catch (error) {
      wrong.textContent = why(app, error);
      submit.disabled = false;
    }
  };
  const label = (id: string, words: string): HTMLElement => h("label", { htmlFor: id }, words);
  const form = h(
    "form",
    { class: "resident-form", aria: { label: app.t("residentTitle") } },
    label("resident-text", app.t("residentText")),
    text,
    h("p", { class: "label", id: "resident-matter" }, app.t("residentMatter")),
    chosen,
    label("resident-other", app.t("residentOther")),
    search,
    found,
    h("p", { class: "label" }, app.t("residentPlace")),
    h("div", { class: "where" }, locate, where),
    ground,
    label("resident-address", app.t("residentAddress")),
    address,
    photos.element,
    h(
      "details",
      { class: "contact" },
      h("summary", {}, app.t("residentContact")),
      h("p", { class: "hint" }, app.t("residentContactWhy")),
      label("resident-name", app.t("residentName")),
      name,
      label("resident-phone", app.t("residentPhone")),
      phone,
    ),
    wrong,
    submit,
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    void send();
  };
  return form;
}

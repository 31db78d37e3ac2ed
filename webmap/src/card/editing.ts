/** Changing a record or making one: the form, its place, what the server says, and who was quicker. */
import { type Field, type Item, type LayerDetail, type LonLat, Refused, Unreachable } from "../city/api.ts";
import * as items from "../city/items.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { changedNames, sameShape } from "./changes.ts";
import { conflictPanel } from "./conflict.ts";
import { action, type Content } from "./content.ts";
import { type Form, formOf } from "./form.ts";
import { placing } from "./placing.ts";
import { ruleInWords, type Value } from "./rules.ts";

/** A record that is there, or a new one of a layer at a place. */
export type Subject = { layer: LayerDetail; held: items.Held } | { layer: LayerDetail; held: null; at: LonLat };

/** What the form leads to. */
export interface Outcome {
  /** The record as it is now, and as it was (null: it was not there). */
  saved(now: items.Held, before: items.Held | null): void;
  left(): void;
  retire(held: items.Held): void;
}

export interface Editing {
  /** The form as a card; asked for again (in another language) it keeps what was typed. */
  content(): Content;
  dirty(): boolean;
  /** The record may have changed elsewhere. */
  reread(): Promise<void>;
  focus(): void;
  end(): void;
}

/** Follows from a record's class: the server fills it in. */
const FOLLOWS_CLASS = "standard";
const FORM = "card-form";

/** The fields that a person fills in: of a new record also those that are set once. */
export function fieldsFor(layer: LayerDetail, isNew: boolean): Field[] {
  const once = (field: Field) => isNew && field.required && field.name !== FOLLOWS_CLASS;
  return layer.fields.filter((field) => field.edit || once(field));
}

export function editingOf(app: App, cityMap: CityMap, subject: Subject, outcome: Outcome): Editing {
  const { layer } = subject;
  const isNew = subject.held === null;
  let held = subject.held;
  /** What someone else made of the record meanwhile, as long as nothing was decided. */
  let theirs: items.Held | null = null;
  let key = items.newKey();
  let busy = false;
  let form: Form;

  const notice = h("div", { class: "edit-notice" });
  const state = h("p", { class: "hint", role: "status" });
  const save = h("button", { type: "submit", class: "primary" });
  save.setAttribute("form", FORM);
  const ownId = h("input", { type: "text", id: "field-id", maxLength: 64, autocomplete: "off" });

  const changed = () => Object.keys(form.changed()).length > 0 || (!isNew && place.moved() !== null);
  const dirty = () => changed() || ownId.value !== "";
  const touched = () => {
    key = items.newKey(); // another content is another change
    state.textContent = dirty() ? app.t("unsaved") : "";
  };
  const start = subject.held === null ? subject.at : pointOf(subject.held.record);
  const drawForm = (texts: Record<string, string>) => {
    const base = held?.record.properties ?? {};
    form = formOf(app, layer, { fields: fieldsFor(layer, isNew), base, texts, typed: touched });
  };
  drawForm({});
  const place = placing(app, cityMap, { start, isNew }, touched);

  const warn = (text: string) => fill(notice, h("p", { class: "wrong", role: "alert" }, text));

  const go = (fresh: items.Held, kept: Record<string, Value>, keepPlace: boolean) => {
    theirs = null;
    held = fresh;
    form.rebase(fresh.record.properties, kept);
    if (!keepPlace || place.moved() === null) place.rebase(pointOf(fresh.record));
    touched();
  };
  const showConflict = (base: items.Held, fresh: items.Held) => {
    theirs = fresh;
    const mine = { mine: form.changed(), moved: place.moved() !== null };
    const panel = conflictPanel(app, layer, { base: base.record, theirs: fresh.record, ...mine }, (kept, keepPlace) => {
      go(fresh, kept, keepPlace);
      fill(notice, h("p", { role: "status" }, app.t("merged")));
    });
    fill(notice, panel);
    panel.scrollIntoView({ block: "nearest" });
  };
  const showGone = ({ record: { layer: name, id } }: items.Held) => {
    const bringBack = async () => {
      try {
        const back = await items.restore({ layer: name, id }, { version: null }, items.newKey());
        fill(notice);
        go(back, form.changed(), true);
      } catch (error) {
        warn(why(app, error));
      }
    };
    const revive = action(null, app.t("conflictRevive"), () => void bringBack());
    fill(notice, h("section", { class: "conflict", role: "alert" }, h("p", {}, app.t("conflictGone")), revive));
  };
  /** Look at what the record is now: what I did not touch follows it, what I did touch is for me to decide. */
  const meet = async (base: items.Held) => {
    try {
      const fresh = await items.read(base.record.layer, base.record.id);
      if (fresh.version === base.version || base !== held) return;
      if (dirty() && differs(base.record, fresh.record)) showConflict(base, fresh);
      else go(fresh, form.changed(), true);
    } catch (error) {
      if (error instanceof Refused && error.status === 404) showGone(base);
      // Otherwise what is on the page stays: saving will tell.
    }
  };

  const send = (): Promise<items.Held> => {
    const at = place.moved();
    const geometry = at === null ? {} : { geometry: { type: "Point", coordinates: at } as const };
    if (held !== null) return items.change(held, { properties: form.changed(), ...geometry }, key);
    const id = ownId.value.trim();
    return items.create(layer.name, { properties: form.filled(), ...geometry, ...(id === "" ? {} : { id }) }, key);
  };
  const submit = async () => {
    if (busy) return;
    if (theirs !== null) {
      state.textContent = app.t("conflictFirst");
      notice.querySelector<HTMLElement>(".conflict")?.focus();
    } else if (!form.check()) warn(app.t("wrongFields", { n: form.wrong() }));
    else if (place.wrong()) place.element.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
    else if (!isNew && !changed()) outcome.left();
    else await saving();
  };
  const saving = async () => {
    fill(notice);
    working(true);
    try {
      outcome.saved(await send(), held);
    } catch (error) {
      working(false);
      await refused(error);
    }
  };
  const refused = async (error: unknown) => {
    if (error instanceof items.ChangeRefused && error.status === 422) warn(wrongFields(app, layer, form, error));
    else if (error instanceof Refused && held !== null && [404, 412].includes(error.status)) {
      await meet(held);
      // Nothing to decide, or nothing to be had just now: it was not saved all the same.
      if (notice.childElementCount === 0) fill(notice, h("p", { role: "status" }, app.t("merged")));
    } else if (error instanceof Unreachable) warn(app.t("unreachable"));
    else warn(app.t("notSaved", { why: why(app, error) }));
  };
  const working = (on: boolean) => {
    busy = on;
    save.disabled = on;
    save.textContent = app.t(on ? "saving" : "save");
  };
  const submitted = (event: SubmitEvent) => {
    event.preventDefault();
    void submit();
  };

  return {
    content() {
      drawForm(form.texts());
      place.redraw();
      working(busy);
      touched();
      if (held !== null && theirs !== null) showConflict(held, theirs);
      const retired = held !== null && layer.may.add ? () => held && outcome.retire(held) : null;
      const layerTitle = { layer: app.title(layer.title) };
      const parts = [notice, form.element, isNew && idField(app, ownId), place.element, state];
      return {
        kicker: app.t(isNew ? "newOf" : "editOf", layerTitle),
        title: held?.record.id ?? layerTitle.layer,
        body: [h("form", { class: "edit", noValidate: true, id: FORM, onsubmit: submitted }, ...parts)],
        actions: [
          save,
          action(null, app.t("cancel"), outcome.left),
          retired && h("button", { type: "button", class: "grave", onclick: retired }, app.t("retire")),
        ],
      };
    },
    dirty,
    reread: async () => {
      if (held !== null && !busy) await meet(held);
    },
    focus: () => form.focusFirst(),
    end: place.end,
  };
}

function idField(app: App, input: HTMLInputElement): HTMLElement {
  const label = h("label", { htmlFor: input.id }, app.t("idLabel"));
  return h("div", { class: "field" }, label, input, h("p", { class: "hint" }, app.t("idMade")));
}

const pointOf = ({ geometry }: Item): LonLat | null =>
  geometry.type === "Point" ? (geometry.coordinates as LonLat) : null;

const differs = (a: Item, b: Item): boolean =>
  changedNames(a.properties, b.properties).length > 0 || !sameShape(a.geometry, b.geometry);

/** Show the server's reasons at the fields they are about, and return a line that counts them and names the others. */
function wrongFields(app: App, layer: LayerDetail, form: Form, error: items.ChangeRefused): string {
  const count = Object.keys(error.problems).length;
  if (count === 0) return app.t("notSaved", { why: why(app, error) });
  const name = (field: string): string => {
    if (field === "geometry") return app.t("yourPlace");
    if (field === "id") return app.t("idLabel");
    return app.title(layer.fields.find((each) => each.name === field)?.title ?? { zh: field, en: field });
  };
  const others = Object.entries(form.refuse(error.problems)).map(
    ([field, why]) => `${name(field)} ${ruleInWords(app, why)}`,
  );
  return [app.t("wrongFields", { n: count }), ...others].join(" · ");
}

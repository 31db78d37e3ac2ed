/** Changing a record or making one: the form, the marker, what the server says, and who was quicker. */
import { type Field, type Item, type LayerDetail, type LonLat, Refused, Unreachable } from "../city/api.ts";
import * as items from "../city/items.ts";
import type { CityMap } from "../map/map.ts";
import { type App, reason } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { changedNames, sameShape } from "./changes.ts";
import { type Conflict, conflictPanel } from "./conflict.ts";
import { action, type Content } from "./content.ts";
import { type Form, formOf } from "./form.ts";
import { type Mover, mover } from "./moving.ts";
import { ruleInWords } from "./rules.ts";

/** A record that is there, or a new one of a layer at a place. */
export type Subject = { layer: LayerDetail; held: items.Held } | { layer: LayerDetail; held: null; at: LonLat };

export interface Outcome {
  /** Undo what was saved: the record as it is now, and as it was (null: it was not there). */
  saved(now: items.Held, before: items.Held | null): void;
  left(): void;
  retire(held: items.Held): void;
  say(text: string): void;
}

export interface Editing {
  content(): Content;
  dirty(): boolean;
  /** The record may have changed elsewhere. */
  reread(): Promise<void>;
  focus(): void;
  end(): void;
}

/** A record of these layers is of a class that decides its standard: the server fills that in. */
const FOLLOWS_CLASS = "standard";

/** The fields that a person fills in: of a new record also those that are set once. */
export function fieldsFor(layer: LayerDetail, isNew: boolean): Field[] {
  const once = (field: Field) => isNew && field.required && field.name !== FOLLOWS_CLASS;
  return layer.fields.filter((field) => field.edit || once(field));
}

export function editingOf(app: App, cityMap: CityMap, subject: Subject, outcome: Outcome): Editing {
  const { layer } = subject;
  let held = subject.held;
  let place: LonLat | null = subject.held === null ? subject.at : null;
  let moving: Mover | null = null;
  let texts: Record<string, string> = {};
  let conflict: { fresh: items.Held; conflict: Conflict } | null = null;
  let key = items.newKey();
  let busy = false;
  const idInput = h("input", { type: "text", id: "field-id", maxLength: 64, autocomplete: "off" });

  const notice = h("div", { class: "edit-notice" });
  const state = h("p", { class: "hint", role: "status" });
  const moveBox = h("div", { class: "field move" });
  const save = h("button", { type: "submit", class: "primary" });
  let form: Form;

  const changed = () => Object.keys(form.changed()).length > 0 || (held !== null && place !== null);
  const dirty = () => changed() || idInput.value !== "";
  const touched = () => {
    key = items.newKey(); // another content is another change
    state.textContent = dirty() ? app.t("unsaved") : "";
  };
  const drawForm = () => {
    const base = held?.record.properties ?? {};
    form = formOf(app, layer, { fields: fieldsFor(layer, held === null), base, texts, typed: touched });
    save.textContent = app.t("save");
  };
  const pointOf = (record: Item | undefined): LonLat | null =>
    record?.geometry.type === "Point" ? (record.geometry.coordinates as LonLat) : null;

  const placeTo = (at: LonLat) => {
    place = at;
    touched();
  };
  const startMoving = () => {
    const from = place ?? pointOf(held?.record);
    if (from === null) return;
    moving ??= mover(app, cityMap, from, placeTo);
    drawMove();
  };
  const stopMoving = () => {
    moving?.remove();
    moving = null;
    if (held !== null) place = null;
    touched();
    drawMove();
  };
  const drawMove = () => {
    if (held !== null && pointOf(held.record) === null) return fill(moveBox);
    const back =
      held !== null && moving !== null && h("button", { type: "button", onclick: stopMoving }, app.t("moveBack"));
    const start = moving === null && action("target", app.t("move"), startMoving);
    fill(moveBox, h("span", { class: "label" }, app.t("yourPlace")), start, moving?.element, back);
  };

  const sayWhy = (text: string) => fill(notice, h("p", { class: "wrong", role: "alert" }, text));
  const sayRefused = (error: items.ChangeRefused) => {
    const rest = form.refuse(error.problems);
    const others = Object.entries(rest).map(([name, why]) => `${nameOf(name)}: ${ruleInWords(app, why)}`);
    const count = Object.keys(error.problems).length;
    if (count === 0) return sayWhy(app.t("notSaved", { why: error.message }));
    sayWhy([app.t("wrongFields", { n: count }), ...others].join(" · "));
  };
  const nameOf = (name: string): string => {
    if (name === "geometry") return app.t("yourPlace");
    if (name === "id") return app.t("idLabel");
    const field = layer.fields.find((each) => each.name === name);
    return field ? app.title(field.title) : name;
  };

  const showConflict = (fresh: items.Held) => {
    if (held === null) return;
    const found: Conflict = {
      base: held.record,
      theirs: fresh.record,
      mine: form.changed(),
      moved: place !== null,
    };
    conflict = { fresh, conflict: found };
    const panel = conflictPanel(app, layer, found, (kept, keepPlace) => {
      merge(fresh, kept, keepPlace);
      fill(notice, h("p", { role: "status" }, app.t("merged")));
    });
    fill(notice, panel);
    panel.scrollIntoView({ block: "nearest" });
  };
  const merge = (fresh: items.Held, kept: ReturnType<Form["changed"]>, keepPlace: boolean) => {
    conflict = null;
    held = fresh;
    form.rebase(fresh.record.properties, kept);
    if (!keepPlace && moving !== null) stopMoving();
    touched();
  };
  const sayGone = () => {
    if (held === null) return;
    const { layer: name, id } = held.record;
    const revive = action(null, app.t("conflictRevive"), () => {
      items.restore({ layer: name, id }, { version: null }, items.newKey()).then(
        (fresh) => {
          merge(fresh, form.changed(), place !== null);
          fill(notice);
        },
        (error: unknown) => sayWhy(reason(error)),
      );
    });
    fill(notice, h("section", { class: "conflict", role: "alert" }, h("p", {}, app.t("conflictGone")), revive));
  };
  /** What the record is now, seen by someone who was about to change it. */
  const meet = (fresh: items.Held) => {
    if (held === null || fresh.version === held.version) return;
    const mine = form.changed();
    const noticed = changedNames(held.record.properties, fresh.record.properties).length > 0;
    const moved = !sameShape(held.record.geometry, fresh.record.geometry);
    if (!dirty() || (!noticed && !moved)) merge(fresh, mine, place !== null);
    else showConflict(fresh);
  };

  const bodyOf = () => {
    const geometry = place === null ? {} : { geometry: { type: "Point", coordinates: place } as const };
    return { properties: held === null ? form.filled() : form.changed(), ...geometry };
  };
  const send = (): Promise<items.Held> => {
    if (held !== null) return items.change(held, bodyOf(), key);
    const id = idInput.value.trim();
    return items.create(layer.name, { ...bodyOf(), ...(id === "" ? {} : { id }) }, key);
  };
  const submit = async () => {
    if (busy) return;
    if (conflict !== null) {
      sayWhyBeside(app.t("conflictFirst"));
      return;
    }
    if (!form.check()) return sayWhy(app.t("wrongFields", { n: form.wrong() }));
    if (held !== null && !changed()) return outcome.left();
    fill(notice);
    working(true);
    try {
      outcome.saved(await send(), held);
    } catch (error) {
      await refused(error);
    } finally {
      working(false);
    }
  };
  const sayWhyBeside = (text: string) => {
    state.textContent = text;
    notice.querySelector<HTMLElement>(".conflict")?.focus();
  };
  const refused = async (error: unknown) => {
    if (error instanceof items.ChangeRefused && error.status === 422) sayRefused(error);
    else if (error instanceof Refused && error.status === 404) sayGone();
    else if (error instanceof Refused && error.status === 412 && held !== null) await reread();
    else if (error instanceof Unreachable) sayWhy(app.t("unreachable"));
    else sayWhy(app.t("notSaved", { why: reason(error) }));
  };
  const working = (on: boolean) => {
    busy = on;
    save.disabled = on;
    save.textContent = app.t(on ? "saving" : "save");
  };
  const reread = async () => {
    if (held === null || busy) return;
    try {
      meet(await items.read(held.record.layer, held.record.id));
    } catch (error) {
      if (error instanceof Refused && error.status === 404) sayGone();
      // Otherwise what is on the page stays: saving will tell.
    }
  };

  drawForm();
  if (held === null) startMoving();
  else drawMove();
  return {
    content() {
      texts = form.texts();
      const keep = moving !== null;
      if (keep) {
        moving?.remove();
        moving = null;
      }
      drawForm();
      if (keep) startMoving();
      else drawMove();
      const ofId = h(
        "div",
        { class: "field" },
        h("label", { htmlFor: "field-id" }, app.t("idLabel")),
        idInput,
        h("p", { class: "hint" }, app.t("idMade")),
      );
      const name = app.title(layer.title);
      const submitted = (event: SubmitEvent) => {
        event.preventDefault();
        void submit();
      };
      const retire =
        held !== null &&
        layer.may.add &&
        h("button", { type: "button", class: "grave", onclick: () => held && outcome.retire(held) }, app.t("retire"));
      const whole = h(
        "form",
        { class: "edit", noValidate: true, id: "card-form", onsubmit: submitted },
        notice,
        form.element,
        held === null && ofId,
        moveBox,
        state,
      );
      save.setAttribute("form", "card-form");
      return {
        kicker: app.t(held === null ? "newOf" : "editOf", { layer: name }),
        title: held === null ? name : held.record.id,
        body: [whole],
        actions: [save, action(null, app.t("cancel"), outcome.left), retire || null],
      };
    },
    dirty,
    reread,
    focus: () => form.focusFirst(),
    end() {
      moving?.remove();
      moving = null;
    },
  };
}

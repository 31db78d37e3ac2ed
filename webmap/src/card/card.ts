/** The object card: a record, a spot, a cell, or the choice between things at one place; and the form behind it. */

import * as api from "../city/api.ts";
import * as items from "../city/items.ts";
import { swatch } from "../map/facts.ts";
import { middleOf } from "../map/geometry.ts";
import type { Hit } from "../map/hits.ts";
import type { CityMap } from "../map/map.ts";
import { sectorOf } from "../map/views.ts";
import type { App } from "../page/app.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import type { Selected } from "../page/state.ts";
import { failure, why } from "../page/why.ts";
import type { Content } from "./content.ts";
import { tell } from "./dialogs.ts";
import { doings } from "./doings.ts";
import { type Editing, editingOf, type Subject } from "./editing.ts";
import { leaving } from "./leaving.ts";
import { goneContent, recordContent } from "./record.ts";
import { cellContent, choiceContent, spotContent } from "./spot.ts";

export interface Card {
  /** Several things at one place: a list to choose from. */
  choose(hits: readonly Hit[]): void;
  /** A cell and what it counts. */
  cell(hit: Hit, lon: number, lat: number): void;
  /** Close it; a form that is open goes first, and is asked about if it holds something unsaved. */
  close(): void;
  /** Read the record of the open card again; what one was looking at stays in place, and what was typed, too. */
  reread(): void;
}

export function objectCard(element: HTMLElement, app: App, cityMap: CityMap): Card {
  const { store, city } = app;
  let pending = new AbortController();
  let reading = Promise.resolve();
  let editing: { form: Editing; selected: Selected | null } | null = null;

  const drop = () => {
    editing?.form.end();
    editing = null;
    element.classList.remove("editing");
  };
  const leave = leaving(app, () => editing?.form.dirty() ?? false, drop);
  const close = () => {
    element.hidden = true;
    cityMap.select();
    store.set({ selected: null });
  };
  const closeOrLeave = () => {
    if (editing === null) close();
    else leave.before(() => start());
  };
  const show = ({ kicker, mark, title, body, actions = [] }: Content) => {
    element.hidden = false;
    // Where focus would be lost (a search that ended, a button of the card that goes), it comes to the card.
    const homeless = document.activeElement === document.body || element.contains(document.activeElement);
    const heading = h("h2", { tabIndex: -1, id: "card-title" }, title);
    fill(
      element,
      h(
        "header",
        {},
        h("p", { class: "kicker" }, mark ? swatch(mark) : null, kicker),
        heading,
        iconButton("close", app.t("close"), closeOrLeave),
      ),
      h("div", { class: "body", tabIndex: 0 }, ...body),
      actions.length > 0 && h("footer", {}, ...actions),
    );
    if (homeless) heading.focus({ preventScroll: true });
  };

  const edit = (subject: Subject) => {
    pending.abort(); // a record that is still on its way must not come over the form
    const form = editingOf(app, cityMap, subject, {
      saved: (now, before) => {
        drop();
        acts.saved(subject.layer, now, before);
      },
      left: () => leave.before(() => start()),
      retire: (held) => acts.retire(subject.layer, held),
    });
    editing = { form, selected: store.get().selected };
    element.classList.add("editing");
    show(form.content());
    form.focus();
  };
  const acts = doings(app, { reopen: () => start(), dropForm: drop });

  const showItem = async (layerName: string, id: string, signal: AbortSignal, again: boolean) => {
    const layer = await city.detail(layerName);
    const held = await readOrGone(layerName, id, signal);
    if (signal.aborted) return;
    const goBack = (since: string) => void acts.goBack(layer, id, held?.version ?? null, since);
    if (held === null) {
      cityMap.select();
      show(goneContent(app, layer, id, goBack));
      return;
    }
    const { record } = held;
    const middle = middleOf(record.geometry);
    const view = sectorOf(record.geometry, record.properties);
    cityMap.select(record.geometry, ...(view ? [view.geometry] : []));
    const doing = { edit: () => edit({ layer, held }), goBack };
    const content = recordContent(app, cityMap, layer, held, { middle, doing });
    if (again) keepingPlace(element, () => show(content));
    else show(content);
    if (!again) cityMap.reveal(...middle);
  };
  const showSpot = async (lon: number, lat: number, signal: AbortSignal) => {
    cityMap.select({ type: "Point", coordinates: [lon, lat] });
    const found = await api.reverse(lon, lat, signal);
    if (signal.aborted) return;
    const add = (name: string) =>
      void city.detail(name).then(
        (layer) => edit({ layer, held: null, at: [lon, lat] }),
        (error: unknown) => tell(app, why(app, error)),
      );
    show(spotContent(app, { lon, lat }, found, add));
    cityMap.reveal(lon, lat);
  };

  const follow = async (again = false) => {
    pending.abort();
    pending = new AbortController();
    const { signal } = pending;
    const { selected } = store.get();
    if (!again) cityMap.select();
    if (selected === null) {
      element.hidden = true;
      return;
    }
    if (element.hidden) show({ kicker: "", title: app.t("loading"), body: [] });
    try {
      if (selected.kind === "item") await showItem(selected.layer, selected.id, signal, again);
      else await showSpot(selected.lon, selected.lat, signal);
    } catch (error) {
      // What the card says was right a moment ago.
      if (!signal.aborted && !again) showFailure(error, selected);
    }
  };
  const showFailure = (error: unknown, selected: Selected) => {
    cityMap.select();
    const gone = error instanceof api.Refused && error.status === 404;
    const id = selected.kind === "item" ? selected.id : app.t("spot");
    const retry = h("button", { type: "button", onclick: () => start() }, app.t("retry"));
    const said = h("p", { class: "empty" }, gone ? app.t("gone") : failure(app, error));
    show({ kicker: "", title: id, body: [said], actions: gone ? [] : [retry] });
  };
  const start = (again = false) => {
    reading = follow(again);
  };

  store.on(["selected"], ({ selected }) => {
    if (editing === null) return start();
    if (sameSelection(selected, editing.selected)) return;
    // Until it is decided what becomes of the form, it stays.
    if (editing.form.dirty()) store.set({ selected: editing.selected });
    leave.before(() => {
      if (sameSelection(store.get().selected, selected)) start();
      else store.set({ selected });
    });
  });
  store.on(["lang"], () => (editing === null ? start() : show(editing.form.content())));
  // Its mark is of the other palette.
  store.on(["palette"], ({ selected }) => editing === null && selected?.kind === "item" && start(true));
  if (store.get().selected) start();

  return {
    close: closeOrLeave,
    reread() {
      if (editing !== null) void editing.form.reread();
      else if (store.get().selected?.kind === "item") reading = reading.then(() => follow(true));
    },
    choose: (hits) => leave.before(() => void choiceContent(app, cityMap, hits).then(show)),
    cell: (hit, lon, lat) =>
      leave.before(() => {
        cityMap.selectCell(hit.id);
        void cellContent(app, cityMap, hit, lon, lat).then(show);
      }),
  };
}

async function readOrGone(layer: string, id: string, signal: AbortSignal): Promise<items.Held | null> {
  try {
    return await items.read(layer, id, signal);
  } catch (error) {
    if (error instanceof api.Refused && error.status === 404) return null;
    throw error;
  }
}

const sameSelection = (a: Selected | null, b: Selected | null): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Fill the card anew with its list scrolled as it was; its sections open by themselves as they were. */
function keepingPlace(card: HTMLElement, refill: () => void): void {
  const top = card.querySelector(".body")?.scrollTop ?? 0;
  const frames = card.querySelector<HTMLDetailsElement>(".all-frames")?.open ?? false;
  refill();
  const list = card.querySelector<HTMLDetailsElement>(".all-frames");
  if (list) list.open = frames;
  card.querySelector(".body")?.scrollTo({ top });
}

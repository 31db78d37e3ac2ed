/** Wires queue, filters, batch, map, case, call and supervision to each other, to the keyboard and to the city. */
import { areaNames } from "../city/areas.ts";
import { type Need, takeNeedStep } from "../city/care.ts";
import type { Line } from "../city/hotline.ts";
import * as api from "../city/incidents.ts";
import { newKey } from "../city/items.ts";
import { may } from "../city/session.ts";
import { footStrip, mapControls, warning } from "../desk/shell.ts";
import { liveSign } from "../desk/sign.ts";
import type { CityMap } from "../map/map.ts";
import { sameConditions } from "../page/conditions.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import { batchView } from "./batch.ts";
import { attempt, type Bench, button } from "./bench.ts";
import { callbacksView } from "./callbacks.ts";
import { caseView } from "./case.ts";
import { countsOf } from "./counts.ts";
import { NEED_MARK } from "./entries.ts";
import { exchangeDialog } from "./exchange.ts";
import { filtersView } from "./filters.ts";
import { followCases } from "./follow.ts";
import { showKeys } from "./help.ts";
import { intakeView } from "./intake.ts";
import { addPhone } from "./joining.ts";
import { type Act, pressed } from "./keys.ts";
import { conditionsOf } from "./layered.ts";
import type { Places } from "./layout.ts";
import { casesMap } from "./mapped.ts";
import { lastOf, needView } from "./need.ts";
import { needsView } from "./needs.ts";
import { asked, type Filters, placeText, type Tab, tabsOf } from "./place.ts";
import { queueView } from "./queue.ts";
import { supervisionView } from "./supervision.ts";
import { tabsView } from "./tabs.ts";

const MOST_URGED = 100;
/** The tabs that show another list than cases. */
const NO_QUEUE: readonly Tab[] = ["supervision", "callbacks", "needs"];
/** Who brings phones in. */
const JOINERS = ["incident.dispatch", "account.edit"];

export function deskOf(bench: Bench, places: Places, cityMap: CityMap, lines: readonly Line[]): void {
  const { app } = bench;
  const over = new AbortController();
  const takes = may(app.city.who, "hotline.take");
  const names = app.city.layers.map(({ name }) => name);
  let named: ReturnType<typeof areaNames> | null = null;
  const areas = () => (named ??= areaNames(names, over.signal));

  const onMap = casesMap(cityMap, {
    pointed(id) {
      onMap.hover(id);
      queue.light(id);
    },
    // While a call is taken a click says where, also on another case.
    clicked(place, id) {
      if (bench.place().beside?.kind === "intake") intake.picked(place);
      else if (id?.startsWith(NEED_MARK))
        bench.go({ beside: { kind: "need", id: Number(id.slice(NEED_MARK.length)) } });
      else if (id !== null) bench.go({ beside: { kind: "case", id } });
    },
  });
  const queue = queueView(bench, {
    shown(rows, anew) {
      if (bench.place().tab === "needs") return;
      onMap.show(rows, anew);
      const wanted = conditionsOf(
        bench.place(),
        rows.map(({ id }) => id),
      );
      if (!sameConditions(app.store.get().conditions.incident, wanted))
        app.store.set({ conditions: { incident: wanted } });
    },
    pointed: (id) => onMap.hover(id),
    chosen: (ids) => batch.chosen(ids),
  });
  const batch = batchView(bench, {
    done() {
      queue.heard(null);
      count();
      if (bench.place().beside?.kind === "case") single.heard();
    },
    none: () => queue.chooseNone(),
  });
  const single = caseView(bench, {
    read: (found) => onMap.open(found === null ? null : found.incident),
    stepped() {
      queue.heard(null);
      count();
    },
  });
  const intake = intakeView(bench, lines, {
    propose: (found) => onMap.propose(found),
    filed(id) {
      const need = referring;
      bench.go({ beside: { kind: "case", id } });
      queue.heard(id);
      count();
      if (need !== null) void refer(need, id);
    },
  });
  // The need of which the case that is being filed is to be made.
  let referring: Need | null = null;
  const refer = (of: Need, incident: string): Promise<void> =>
    attempt(bench, async () => {
      await takeNeedStep(of.id, "refer", { incident, expected: lastOf(of), key: newKey() });
      bench.say(app.t("needReferred", { need: of.id, id: incident }));
      if (bench.place().tab === "needs") await needs.load();
      count();
    });
  const urge = (filters: Filters, words: string): void =>
    void attempt(bench, async () => {
      const page = await api.queue({ ...asked({ tab: "overdue", filters }), limit: MOST_URGED });
      const note = app.t("caseUrgeNote");
      await batch.take(
        page.incidents.map(({ id }) => id),
        "urge",
        { note },
      );
      bench.say(app.t("caseUrged", { who: words, n: page.incidents.length }));
      await supervision.load();
    });
  const supervision = supervisionView(bench, areas, urge);
  const callbacks = callbacksView(bench, () => count());
  const needs = needsView(bench, areas, {
    shown(marks, anew) {
      if (bench.place().tab === "needs") onMap.show(marks, anew);
    },
    changed: () => count(),
  });
  const need = needView(bench, areas, {
    read: (mark) => onMap.open(mark),
    stepped() {
      if (bench.place().tab === "needs") void needs.load();
      count();
    },
    refer(of, words) {
      bench.go({ beside: { kind: "intake" } });
      referring = of;
      intake.begin(words, [of.lon, of.lat]);
    },
    within: (area) => needs.within(area),
  });
  const tabs = tabsView(bench);
  const filters = filtersView(bench, areas);
  const counted = { calls: takes, needs: may(app.city.who, "need.take") };
  const count = countsOf(counted, (counts) => tabs.counted(counts));

  const came = (): void => {
    queue.heard(null);
    count();
  };
  const drawTools = (): void => {
    const call = button(app.t("caseCall"), () => bench.go({ beside: { kind: "intake" } }), "primary call");
    call.append(h("kbd", {}, "C"));
    const view = button(
      app.t(places.root.dataset.view === "map" ? "caseToList" : "caseToMap"),
      turn,
      "outlined to-map",
    );
    const keys = button("?", () => showKeys(bench), "outlined keys");
    keys.title = app.t("caseKeys");
    keys.setAttribute("aria-label", app.t("caseKeys"));
    const phone =
      JOINERS.some((right) => may(app.city.who, right)) && iconButton("qr", app.t("joinTitle"), () => addPhone(bench));
    const files = iconButton("download", app.t("exchangeTitle"), () => exchangeDialog(bench, came));
    fill(places.tools, takes && call, view, files, phone, keys);
  };
  const turn = (): void => {
    places.root.dataset.view = places.root.dataset.view === "map" ? "queue" : "map";
    drawTools();
    cityMap.map.resize();
  };
  const others = [supervision.element, callbacks.element, needs.element];
  fill(places.queue, tabs.element, filters.element, batch.element, queue.element, ...others);

  const showBeside = (): void => {
    const { beside } = bench.place();
    const wasHidden = places.beside.hidden;
    places.beside.hidden = beside === null || (beside.kind === "intake" && !takes);
    places.root.dataset.beside = beside?.kind ?? "none";
    if (wasHidden !== places.beside.hidden) cityMap.map.resize();
    if (beside?.kind !== "case") single.close();
    if (beside?.kind !== "need") need.close();
    if (beside?.kind !== "intake") {
      referring = null;
      intake.close();
    }
    if (beside === null) fill(places.beside);
    else if (beside.kind === "intake" && takes) {
      fill(places.beside, intake.element);
      intake.open();
    } else if (beside.kind === "case") {
      fill(places.beside, single.element);
      void single.open(beside.id);
    } else if (beside.kind === "need") {
      fill(places.beside, need.element);
      void need.open(beside.id);
    }
  };
  const showQueue = (): void => {
    const { tab } = bench.place();
    supervision.element.hidden = tab !== "supervision";
    callbacks.element.hidden = tab !== "callbacks";
    needs.element.hidden = tab !== "needs";
    queue.element.hidden = filters.element.hidden = NO_QUEUE.includes(tab);
    if (tab === "supervision") void supervision.load();
    if (tab === "callbacks") void callbacks.load();
    if (tab === "needs") {
      queue.chooseNone();
      app.store.set({ conditions: { incident: { id: { in: [] } } } }); // the map shows the needs in their stead
      void needs.load();
    } else void queue.load();
  };
  bench.onPlace((now, before) => {
    tabs.redraw();
    filters.redraw();
    const other = placeText({ ...now, beside: null }) !== placeText({ ...before, beside: null });
    if (other) showQueue();
    if (now.beside !== before.beside) {
      showBeside();
      queue.redraw();
      needs.redraw();
    }
  });
  app.store.on(["lang"], () => {
    drawTools();
    for (const part of [tabs, filters, queue, single, callbacks, needs, need]) part.redraw();
    if (bench.place().tab === "supervision") void supervision.load();
  });
  keyboard();
  mapControls(places.controls, app, cityMap);
  footStrip(places.foot, app, cityMap);
  warning(places.warning, app);
  drawTools();
  showQueue();
  showBeside();
  count();
  followCases(app, cityMap, liveSign(places.live, app), over.signal, (id) => {
    queue.heard(id);
    count();
    const { beside, tab } = bench.place();
    if (beside?.kind === "case" && (id === null || id === beside.id)) single.heard();
    if (tab === "supervision") void supervision.load();
    if (tab === "callbacks") callbacks.heard();
  });

  function keyboard(): void {
    document.addEventListener("keydown", (event) => {
      const { target } = event;
      const writing =
        target instanceof HTMLElement &&
        target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog");
      const onMapItself = target instanceof HTMLElement && target.closest(".map") && event.key.startsWith("Arrow");
      if (writing && event.key === "Escape" && !target.closest("dialog")) target.blur();
      if (document.querySelector("dialog[open]")) return;
      if (!writing && bench.place().tab === "callbacks" && callbacks.pressed(event)) {
        event.preventDefault();
        return;
      }
      const means = writing || onMapItself ? null : pressed(event);
      if (means === null) return;
      event.preventDefault();
      if ("step" in means) press(means.step, means.fill);
      else act(means.act);
    });
  }
  function press(step: string, filling = false): void {
    if (queue.chosen().length > 0) batch.press(step, filling);
    else if (bench.place().beside?.kind === "case") single.press(step, filling);
    else if (bench.place().tab !== "needs") {
      const id = queue.current();
      if (id !== null) bench.go({ beside: { kind: "case", id } });
    }
  }
  function act(what: Act): void {
    const inNeeds = bench.place().tab === "needs";
    if (what === "down") (inNeeds ? needs : queue).move(1);
    else if (what === "up") (inNeeds ? needs : queue).move(-1);
    else if (what === "select") {
      if (inNeeds) return;
      const id = queue.current();
      if (id !== null) queue.choose(id);
    } else if (what === "intake" && takes) bench.go({ beside: { kind: "intake" } });
    else if (what === "filter") filters.focus();
    else if (what === "note") press("note");
    else if (what === "fresh") queue.takeFresh();
    else if (what === "help") showKeys(bench);
    else if (what === "away") {
      bench.go({ beside: null });
      if (queue.current() !== null) queue.move(0); // back to where one came from
    } else {
      const tab = tabsOf(app.city.who)[Number(what.slice(3)) - 1];
      if (tab !== undefined) bench.go({ tab });
    }
  }
}

/** Critical events: looked up when `/live` tells of a change, shown on map and panel one after the other, and left again. */
import type { Geometry } from "geojson";
import * as api from "../city/api.ts";
import { history, read } from "../city/items.ts";
import type { Topic } from "../city/topics.ts";
import { classWord, headline } from "../map/facts.ts";
import { boundsOf, middleOf } from "../map/geometry.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { type Conditions, toCql2 } from "../page/conditions.ts";
import { h } from "../page/dom.ts";
import { admits } from "../panels/doors.ts";
import { inWords } from "../words/format.ts";
import type { Carousel } from "./carousel.ts";
import { type Change, eventGates, isOld } from "./events.ts";
import { closerBy } from "./scale.ts";
import { hour, type Shell } from "./shell.ts";
import { line } from "./text.ts";

interface Rule {
  topic: string;
  layer: string;
  conditions: Conditions;
}

interface Event {
  change: Change;
  rule: Rule;
  item: api.Item;
  layer: api.LayerDetail;
}

export interface Follower {
  /** A record changed. */
  heard(change: Change): void;
  following(): boolean;
  /** Leave what is shown. */
  leave(): void;
}

const LOOK_MS = 1_000;
const MOST_QUEUED = 5;
/** Between two events the wall is what it is for. */
const REST_MS = 10_000;
const CLOSE_ZOOM = 16;
const PATIENCE_MS = 30_000;

export function followEvents(
  { shell, app, cityMap, round }: { shell: Shell; app: App; cityMap: CityMap; round: Carousel },
  topics: readonly Topic[],
  { follow_s, now }: { follow_s: number; now: () => number },
): Follower {
  const rules = topics.flatMap(({ name, events }) => (events ?? []).map((event): Rule => ({ topic: name, ...event })));
  const gate = eventGates();
  let queue: Event[] = [];
  let shown: Event | null = null;
  let until = 0;
  let looking = false;

  const pulse = ({ lon, lat }: { lon: number; lat: number }) => {
    const { x, y } = cityMap.map.project([lon, lat]);
    shell.pulse.style.setProperty("--x", `${x}px`);
    shell.pulse.style.setProperty("--y", `${y}px`);
  };
  const place = () => {
    if (shown) pulse(at(shown.item.geometry));
  };
  cityMap.map.on("move", place);

  const show = (event: Event) => {
    shown = event;
    until = Date.now() + follow_s * 1000;
    gate.shown(event.change, Date.now());
    round.showTopic(event.rule.topic);
    round.hold(told(app, event));
    const { lon, lat } = at(event.item.geometry);
    const bounds = event.item.geometry.type === "Point" ? null : boundsOf(event.item.geometry);
    cityMap.goTo({ lon, lat, bounds, zoom: CLOSE_ZOOM + closerBy(innerHeight) });
    cityMap.select(event.item.geometry);
    shell.pulse.hidden = false;
    shell.root.dataset.event = `${event.change.layer}/${event.change.id}`;
    place();
  };
  const leave = () => {
    if (shown === null) return;
    shown = null;
    until = Date.now() + REST_MS;
    shell.pulse.hidden = true;
    delete shell.root.dataset.event;
    cityMap.select();
    round.hold(null);
    round.home();
  };
  const look = async (): Promise<void> => {
    for (const change of gate.due(Date.now())) {
      if (isOld(change, now())) continue;
      const event = await critical(app, rules, change).catch(noEvent);
      if (event === "unanswered") gate.again(change, Date.now());
      // What is not shown before many others is no news any more.
      else if (event) queue = [...queue.filter((each) => each.change.id !== change.id), event].slice(-MOST_QUEUED);
    }
  };
  setInterval(() => {
    if (!looking) {
      looking = true;
      void look().finally(() => {
        looking = false;
      });
    }
    if (Date.now() < until) return;
    if (shown) leave();
    else {
      const next = queue.shift();
      if (next) show(next);
    }
  }, LOOK_MS);

  return {
    heard: (change) => {
      if (rules.some(({ layer }) => layer === change.layer)) gate.heard(change, Date.now());
    },
    following: () => shown !== null || queue.length > 0,
    leave,
  };
}

function at(geometry: Geometry): { lon: number; lat: number } {
  const [lon, lat] = middleOf(geometry);
  return { lon, lat };
}

/** Without an answer nobody knows what it is; what the server refuses to tell (it was retired meanwhile) is no event. */
function noEvent(error: unknown): "unanswered" | null {
  if (error instanceof api.Unreachable) return "unanswered";
  if (error instanceof api.Refused) return error.status < 500 && error.status !== 429 ? null : "unanswered";
  throw error;
}

/** The event that a changed record is by the first rule that it meets and did not meet before; null if it is none. */
async function critical(app: App, rules: readonly Rule[], change: Change): Promise<Event | null> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  for (const rule of rules.filter(({ layer }) => layer === change.layer)) {
    if (!(await meets(rule, change.id, signal)) || (await metBefore(rule, change.id, signal))) continue;
    const [{ record: item }, layer] = await Promise.all([
      read(change.layer, change.id, signal),
      app.city.detail(change.layer),
    ]);
    return { change, rule, item, layer };
  }
  return null;
}

async function meets({ layer, conditions }: Rule, id: string, signal: AbortSignal): Promise<boolean> {
  const own = `id = '${id.replaceAll("'", "''")}'`;
  const filter = [own, toCql2(conditions)].filter(Boolean).join(" AND ");
  const path = `/ogc/collections/${encodeURIComponent(layer)}/items?limit=1&filter=${encodeURIComponent(filter)}`;
  return (await api.get<{ features: unknown[] }>(path, signal)).features.length > 0;
}

/** Whether the version before this one met the conditions already, as far as its fields tell; the history ends with it. */
async function metBefore({ layer, conditions }: Rule, id: string, signal: AbortSignal): Promise<boolean> {
  const { versions } = await history(layer, id, signal);
  const before = [...versions].sort((a, b) => (a.from ?? "").localeCompare(b.from ?? "")).at(-1);
  if (before === undefined) return false;
  return Object.entries(conditions).every(([column, clause]) => {
    const value = before.properties[column];
    return value === undefined || admits(clause, value === null ? null : String(value));
  });
}

/** What happened, where, and since when. */
function told(app: App, { item, layer, rule }: Event): HTMLElement {
  const { lang } = app.store.get();
  const columns = Object.keys(rule.conditions);
  // What a thing is says its class, unless its class is what has happened to it.
  const byClass = columns.length === 1 && columns[0] === layer.classes;
  const states = columns.flatMap((column) => {
    const value = item.properties[column];
    if (value == null || (column === layer.classes && !byClass)) return [];
    const words = inWords(lang, layer, column, String(value));
    return words === String(value) || column === "class_code" ? [] : [words];
  });
  const name = headline(app, layer, item.id, item.properties);
  const kind = byClass ? null : classWord(app, layer, item.properties);
  const { county, town, changedAt } = item.context;
  const where = [county?.name, town?.name].filter(Boolean).join(lang === "zh" ? "" : ", ");
  const since = changedAt === null ? "" : app.t("wallSince", { time: hour(Date.parse(changedAt)) });
  return h(
    "div",
    { class: "sheet event", role: "status" },
    line("kind", kind !== null && kind !== name ? kind : app.title(layer.title)),
    line("what", name),
    states.length > 0 &&
      h(
        "p",
        { class: "state" },
        h("span", { aria: { hidden: "true" } }, "◆ "),
        ...line("", states.join(" · ")).childNodes,
      ),
    where !== "" && line("where", where),
    typeof item.properties.address === "string" && line("address", item.properties.address),
    since !== "" && line("since", since),
  );
}

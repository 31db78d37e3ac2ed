/** What the page shows, in one store that the URL mirrors: whoever opens the link sees the same. */

import { FRAMES, type Frame } from "../city/frames.ts";
import { LANGS, type Lang } from "../words/i18n.ts";
import { type Conditions, conditionsFrom } from "./conditions.ts";

export interface View {
  lon: number;
  lat: number;
  zoom: number;
}

export type Selected = { kind: "item"; layer: string; id: string } | { kind: "spot"; lon: number; lat: number };
export type Palette = "dark" | "light" | "print";
const PALETTES: readonly Palette[] = ["dark", "light", "print"];
/** How a layer is drawn: as it declares itself, as cells or heat at every zoom, or as areas coloured by its density. */
export type Look = "symbol" | "cells" | "heat" | "grid" | "town" | "county";
const LOOKS: readonly Look[] = ["symbol", "cells", "heat", "grid", "town", "county"];
/** How values fall into classes: equally many in each, natural breaks, or where someone put the bounds. */
export type Breaks = "quantile" | "jenks" | readonly number[];
/** Something on a panel or the map that its counterpart lights up. */
export interface Hovered {
  layer: string;
  column: string;
  value: string | null;
}

export interface State {
  /** The topic that arranges the page; null: none, everything there is. */
  topic: string | null;
  /** null: the whole city. */
  view: View | null;
  /** The layers that are shown, from the bottom up. */
  layers: readonly string[];
  /** By layer, how it is drawn if not by symbols. */
  looks: Readonly<Record<string, Look>>;
  /** By layer, from 0 to 1, where that is not 1. */
  opacity: Readonly<Record<string, number>>;
  breaks: Breaks;
  /** By layer, what its records must meet: on the map, in counts and in lists. */
  conditions: Readonly<Record<string, Conditions>>;
  /** The layer whose records (those that meet its conditions) are listed beside the map. */
  listed: string | null;
  /** By layer, the class values that are switched off. */
  hidden: Readonly<Record<string, readonly string[]>>;
  /** The rasters that are shown. */
  rasters: readonly string[];
  /** The layer whose density is shown first; others follow in drawing order where it shows records. null: no density. */
  density: string | null;
  palette: Palette;
  lang: Lang;
  frame: Frame;
  selected: Selected | null;
  /** What someone drew on the map, as tools/written.ts writes it. */
  marks?: string | undefined;
  /** The point of which is asked which cameras see it, the cameras that were picked for a patrol, and the patrol that
   * runs: as video/written.ts writes them. */
  sight?: string | undefined;
  picked?: string | undefined;
  patrol?: string | undefined;
  /** Of the moment: not in the URL. */
  hovered: Hovered | null;
}

/** A page before anything is chosen; in the palette that the visitor's system prefers. */
export const blank = (): State => ({
  topic: null,
  view: null,
  layers: [],
  looks: {},
  opacity: {},
  breaks: "quantile",
  conditions: {},
  listed: null,
  hidden: {},
  rasters: [],
  density: null,
  palette: globalThis.matchMedia?.("(prefers-color-scheme: light)").matches ? "light" : "dark",
  lang: "zh",
  frame: "EPSG:4326",
  selected: null,
  hovered: null,
});

/** What the URL mirrors: everything but what is of the moment. */
export const IN_URL: readonly (keyof State)[] = [
  "topic",
  "view",
  "layers",
  "looks",
  "opacity",
  "breaks",
  "conditions",
  "listed",
  "hidden",
  "rasters",
  "density",
  "palette",
  "lang",
  "frame",
  "selected",
  "marks",
  "sight",
  "picked",
  "patrol",
];

/** Parts that a state lacks where there is nothing to say. */
const LOOSE = ["marks", "sight", "picked", "patrol"] as const;
export const NOTHING_LOOSE: Pick<State, (typeof LOOSE)[number]> = Object.fromEntries(
  LOOSE.map((part) => [part, undefined]),
);

export type Listener = (state: State, before: State) => void;

export interface Store {
  get(): State;
  set(patch: Partial<State>): void;
  /** Call back on every change of one of the given parts, until the returned function is called. */
  on(parts: readonly (keyof State)[], listener: Listener): () => void;
}

export function createStore(initial: State): Store {
  let state = initial;
  const listeners = new Set<{ parts: readonly (keyof State)[]; listener: Listener }>();
  return {
    get: () => state,
    set(patch) {
      const before = state;
      state = { ...state, ...patch };
      for (const { parts, listener } of [...listeners]) {
        if (parts.some((part) => state[part] !== before[part])) listener(state, before);
      }
    },
    on(parts, listener) {
      const entry = { parts, listener };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
  };
}

// What URLs allow in a fragment stays readable.
const escaped = (text: string): string => encodeURIComponent(text).replace(/%(2C|2F|3A|40)/g, decodeURIComponent);

/** The fragment that stands for a state; what equals the defaults is left out. */
export function toFragment(state: State, defaults: State): string {
  const parts: [string, string][] = [];
  if (state.view && viewText(state.view) !== (defaults.view && viewText(defaults.view)))
    parts.push(["at", viewText(state.view)]);
  if (state.topic !== null) parts.push(["topic", state.topic]);
  const layers = state.layers.join(",");
  if (layers !== defaults.layers.join(",")) parts.push(["layers", layers]);
  const off = Object.entries(state.hidden).filter(([, values]) => values.length > 0);
  if (off.length > 0)
    parts.push(["off", off.map(([name, values]) => [name, ...values].map(encodeURIComponent).join(":")).join(",")]);
  const rasters = state.rasters.join(",");
  if (rasters !== defaults.rasters.join(",")) parts.push(["rasters", rasters]);
  if (state.density !== defaults.density) parts.push(["density", state.density ?? ""]);
  const looks = pairs(state.looks, defaults.looks);
  if (looks !== null) parts.push(["looks", looks]);
  const opacity = pairs(state.opacity, defaults.opacity);
  if (opacity !== null) parts.push(["opacity", opacity]);
  if (String(state.breaks) !== String(defaults.breaks)) parts.push(["breaks", String(state.breaks)]);
  const where = JSON.stringify(state.conditions);
  if (where !== JSON.stringify(defaults.conditions)) parts.push(["where", where]);
  if (state.listed !== null) parts.push(["list", state.listed]);
  for (const key of ["palette", "lang", "frame"] as const) {
    if (state[key] !== defaults[key]) parts.push([key, state[key]]);
  }
  if (state.selected) parts.push(["open", selectedText(state.selected)]);
  for (const part of LOOSE) {
    const text = state[part];
    if (text) parts.push([part, text]);
  }
  return parts.map(([key, value]) => `${key}=${escaped(value)}`).join("&");
}

/** The state that a fragment stands for; parts that are absent or make no sense take the defaults. */
export function fromFragment(fragment: string, defaults: State): State {
  const given = new Map<string, string>();
  for (const part of fragment.replace(/^#/, "").split("&")) {
    const [key = "", value = ""] = part.split("=", 2);
    given.set(key, decoded(value));
  }
  const layers = given.get("layers");
  const where = given.get("where");
  return {
    topic: given.get("topic") ?? defaults.topic,
    view: viewFrom(given.get("at")) ?? defaults.view,
    layers: layers === undefined ? defaults.layers : layers.split(",").filter(Boolean),
    looks: pairsFrom(given.get("looks"), (text) => oneOf(LOOKS, text)) ?? defaults.looks,
    opacity: pairsFrom(given.get("opacity"), shareFrom) ?? defaults.opacity,
    breaks: breaksFrom(given.get("breaks")) ?? defaults.breaks,
    conditions: where === undefined ? defaults.conditions : conditionsByLayer(where),
    listed: given.get("list") ?? defaults.listed,
    hidden: hiddenFrom(given.get("off")),
    rasters: given.get("rasters")?.split(",").filter(Boolean) ?? defaults.rasters,
    density: densityFrom(given.get("density"), defaults.density),
    palette: oneOf(PALETTES, given.get("palette")) ?? defaults.palette,
    lang: oneOf(LANGS, given.get("lang")) ?? defaults.lang,
    frame: oneOf(FRAMES, given.get("frame")) ?? defaults.frame,
    selected: selectedFrom(given.get("open")),
    ...Object.fromEntries(LOOSE.flatMap((part) => (given.get(part) ? [[part, given.get(part)]] : []))),
    hovered: null,
  };
}

const viewText = ({ zoom, lat, lon }: View): string => `${round(zoom, 2)}/${round(lat, 5)}/${round(lon, 5)}`;

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // a stray % in a link that someone cut short
  }
}

function oneOf<T extends string>(options: readonly T[], text: string | undefined): T | undefined {
  return options.find((option) => option === text);
}

/** "name:value,…", or null where it equals the defaults. */
function pairs(given: Readonly<Record<string, string | number>>, defaults: typeof given): string | null {
  const text = (of: typeof given) =>
    Object.entries(of)
      .map((pair) => pair.map(encodeURIComponent).join(":"))
      .join(",");
  return text(given) === text(defaults) ? null : text(given);
}

function pairsFrom<T>(text: string | undefined, read: (text: string) => T | undefined): Record<string, T> | null {
  if (text === undefined) return null;
  const found: Record<string, T> = {};
  for (const pair of text.split(",")) {
    const [name = "", value = ""] = pair.split(":").map(decoded);
    const known = read(value);
    if (name !== "" && known !== undefined) found[name] = known;
  }
  return found;
}

const densityFrom = (text: string | undefined, otherwise: string | null): string | null =>
  text === undefined ? otherwise : text === "" ? null : text;

function shareFrom(text: string): number | undefined {
  const share = Number(text);
  return text !== "" && share >= 0 && share <= 1 ? share : undefined;
}

function breaksFrom(text: string | undefined): Breaks | undefined {
  if (text === undefined || text === "quantile" || text === "jenks") return text;
  const bounds = text.split(",").map(Number);
  const rising = bounds.every((bound, at) => at === 0 || bound > (bounds[at - 1] ?? Number.NaN));
  return rising && bounds.every(Number.isFinite) ? bounds : undefined;
}

function conditionsByLayer(text: string): Record<string, Conditions> {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof given !== "object" || given === null) return {};
  return Object.fromEntries(Object.entries(given).map(([layer, each]) => [layer, conditionsFrom(each)]));
}

function viewFrom(text: string | undefined): View | null {
  const [zoom, lat, lon] = (text ?? "").split("/").map((part) => (part === "" ? Number.NaN : Number(part)));
  if (zoom === undefined || !onEarth(lon, lat) || !(zoom >= 0 && zoom <= 24)) return null;
  return { zoom, lat: lat as number, lon: lon as number };
}

function onEarth(lon: number | undefined, lat: number | undefined): boolean {
  return lon !== undefined && lat !== undefined && Math.abs(lon) <= 180 && Math.abs(lat) <= 85;
}

function hiddenFrom(text: string | undefined): Record<string, string[]> {
  const hidden: Record<string, string[]> = {};
  for (const entry of (text ?? "").split(",")) {
    const [name, ...values] = entry.split(":").map(decoded);
    if (name && values.length > 0) hidden[name] = values;
  }
  return hidden;
}

function selectedText(selected: Selected): string {
  return selected.kind === "item"
    ? `${selected.layer}/${selected.id}`
    : `@${round(selected.lon, 6)},${round(selected.lat, 6)}`;
}

function selectedFrom(text: string | undefined): Selected | null {
  if (!text) return null;
  if (text.startsWith("@")) {
    const [lon, lat] = text.slice(1).split(",").map(Number);
    return onEarth(lon, lat) ? { kind: "spot", lon: lon as number, lat: lat as number } : null;
  }
  const slash = text.indexOf("/");
  if (slash < 1 || slash === text.length - 1) return null;
  return { kind: "item", layer: text.slice(0, slash), id: text.slice(slash + 1) };
}

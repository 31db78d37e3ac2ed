/** What the page shows, in one store that the URL mirrors: whoever opens the link sees the same. */
import { FRAMES, type Frame } from "./frames.ts";
import { LANGS, type Lang } from "./i18n.ts";

export interface View {
  lon: number;
  lat: number;
  zoom: number;
}

export type Selected = { kind: "item"; layer: string; id: string } | { kind: "spot"; lon: number; lat: number };
export type Palette = "dark" | "light" | "print";
const PALETTES: readonly Palette[] = ["dark", "light", "print"];

export interface State {
  /** null: the whole city. */
  view: View | null;
  layers: readonly string[];
  /** By layer, the class values that are switched off. */
  hidden: Readonly<Record<string, readonly string[]>>;
  /** The rasters that are shown. */
  rasters: readonly string[];
  /** The layer whose density is shown first; others follow in drawing order where it shows records. */
  density: string | null;
  palette: Palette;
  lang: Lang;
  frame: Frame;
  selected: Selected | null;
}

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
  if (state.view) {
    const { zoom, lat, lon } = state.view;
    parts.push(["at", `${round(zoom, 2)}/${round(lat, 5)}/${round(lon, 5)}`]);
  }
  const layers = state.layers.join(",");
  if (layers !== defaults.layers.join(",")) parts.push(["layers", layers]);
  const off = Object.entries(state.hidden).filter(([, values]) => values.length > 0);
  if (off.length > 0)
    parts.push(["off", off.map(([name, values]) => [name, ...values].map(encodeURIComponent).join(":")).join(",")]);
  if (state.rasters.length > 0) parts.push(["rasters", state.rasters.join(",")]);
  if (state.density !== null && state.density !== defaults.density) parts.push(["density", state.density]);
  for (const key of ["palette", "lang", "frame"] as const) {
    if (state[key] !== defaults[key]) parts.push([key, state[key]]);
  }
  if (state.selected) parts.push(["open", selectedText(state.selected)]);
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
  return {
    view: viewFrom(given.get("at")),
    layers: layers === undefined ? defaults.layers : layers.split(",").filter(Boolean),
    hidden: hiddenFrom(given.get("off")),
    rasters: (given.get("rasters") ?? "").split(",").filter(Boolean),
    density: given.get("density") ?? defaults.density,
    palette: oneOf(PALETTES, given.get("palette")) ?? defaults.palette,
    lang: oneOf(LANGS, given.get("lang")) ?? defaults.lang,
    frame: oneOf(FRAMES, given.get("frame")) ?? defaults.frame,
    selected: selectedFrom(given.get("open")),
  };
}

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

/** The server's HTTP contract, typed, and the one place that fetches. */
import type { Feature, Geometry } from "geojson";
import type { StyleSpecification } from "maplibre-gl";
import type { Title } from "../words/i18n.ts";

export type Bounds = [west: number, south: number, east: number, north: number];
export type LonLat = [lon: number, lat: number];
export type Group = "area" | "facility" | "sensing" | "environment" | "emergency" | "event" | "base";

export interface LayerSummary {
  name: string;
  title: Title;
  about: Title;
  group: Group;
  geometry: string;
  count: number;
  minzoom: number;
  classes: string | null;
  label: string;
  synthetic: boolean;
  counts: Record<string, number> | null;
  updated: string | null;
  access: { view: "public" | "internal"; edit: "admin" | "nobody" };
  /** What whoever asked may do by hand. */
  may: { edit: boolean; add: boolean };
}

export interface City {
  title: Title;
  bounds: Bounds;
  center: LonLat;
  synthetic: boolean;
  attribution: Title;
  mapApproval: string | null;
}

export interface Catalogue {
  layers: LayerSummary[];
  city: City;
  palettes: string[];
}

export interface Field {
  name: string;
  title: Title;
  kind: "text" | "code" | "integer" | "number" | "date" | "time" | "boolean";
  unit: string | null;
  book: string | null;
  /** Whether records can be filtered and sorted by it. */
  filter: boolean;
  edit: boolean;
  required: boolean;
  minimum: number | null;
  maximum: number | null;
  maxLength: number;
}

export type Mark = "circle" | "line" | "fill" | "outline" | "square" | "diamond" | "triangle" | "cross" | "star";

export interface LegendRow {
  value: string | null;
  colour: string;
  /** The kind of what is drawn, or else the name of the symbol's shape. */
  shape: Mark;
  /** The corners of a shape, in radii of the circle that it stands for. */
  outline?: [x: number, y: number][];
  title?: Title;
}

export interface LayerDetail extends LayerSummary {
  fields: Field[];
  books: Record<string, Record<string, Title>>;
  /** By book, for those that follow standards, the codes of each standard. */
  standards: Record<string, Record<string, string[]>>;
  legend: Record<string, LegendRow[]>;
  density: { unit: Title; stops: number[]; colours: Record<string, string[]> };
}

/** The city's own map under everything, or one that it subscribes to. */
export interface Basemap {
  type: "raster" | "vector";
  tiles: string[];
  minzoom: number;
  maxzoom: number;
  bounds: Bounds;
  tileSize: number;
  vectorLayers: string[];
  attribution: Title;
  approval: string | null;
  frame: string;
  warning: Title | null;
}

export interface Raster {
  name: string;
  title: Title;
  about: Title;
  unit: string;
  tiles: string;
  minzoom: number;
  maxzoom: number;
  bounds: Bounds;
  /** Where a colour stands; with `steps`, from where to where it goes (null: without end). */
  legend: { value: number; colour: string; to?: number | null }[];
  steps: boolean;
  /** Where cells count people: smaller counts are left out. */
  least: number | null;
  synthetic: boolean;
  attribution: Title;
}

export type ServedStyle = StyleSpecification & {
  metadata: {
    "chengtu:palette": Record<string, string>;
    /** By the name of their image, in pixels. */
    "chengtu:shapes"?: Record<string, [x: number, y: number][]>;
  };
};

export interface SearchHit {
  layer: string | null;
  id: string | null;
  label: string;
  detail: string | null;
  kind: "name" | "id" | "code" | "address" | "coordinate" | "cell";
  lon: number;
  lat: number;
  bounds: Bounds | null;
}

export interface Named {
  id: string;
  name: string;
}

export interface Reverse {
  lon: number;
  lat: number;
  cell: string;
  grid: Named | null;
  dutyGrid: Named | null;
  town: Named | null;
  county: Named | null;
  address: { text: string; distance_m: number; bearing: number | string | null } | null;
}

export type Properties = Record<string, string | number | boolean | null>;

export interface Item extends Feature<Geometry, Properties> {
  id: string;
  layer: string;
  context: {
    cell: string;
    grid: Named | null;
    dutyGrid: DutyGrid | null;
    town: Named | null;
    county: Named | null;
    placeMethod: string | null;
    placePrecision: string | null;
    source: string | null;
    delivery: Delivery | null;
    changedAt: string | null;
    changedBy: string | null;
    /** By field, the standard that its code stands in. */
    standards: Record<string, string>;
  };
}

/** The area that one team answers for. */
export interface DutyGrid extends Named {
  department?: string | null;
  team?: string | null;
  /** Of the unit's duty desk. */
  duty_phone?: string | null;
  synthetic?: boolean;
}

export interface Delivery {
  id: number;
  title: string;
  source: string;
}

/** What a record was, and who or which delivery made it so. */
export interface Version {
  from: string | null;
  to: string | null;
  actor: string | null;
  delivery: Delivery | null;
  properties: Properties;
  geometry: Geometry;
}

/** What a refusal says besides its sentence: codes and facts, of which pages make sentences of their own. */
export interface Told {
  code?: string;
  cause?: string;
  /** The cause in the server's own words, for pages that have none. */
  words?: Title;
  facts?: Record<string, string | number>;
  problems?: Record<string, string>;
  reference?: string;
  /** Of a filter: where in its text, and about which word of it. */
  line?: number;
  column?: number;
  about?: string;
  /** Which part of a request, or of a style to be printed. */
  parameter?: string;
  place?: string;
  /** Of a table of people: its lines that are not taken, and why. */
  lines?: { line: number; login: string; cause: string; facts: Record<string, string | number> }[];
}

/** The server answered, and the answer is no. */
export class Refused extends Error {
  readonly status: number;
  readonly told: Told;
  constructor(status: number, detail: string, told: Told = {}) {
    super(detail);
    this.status = status;
    this.told = told;
  }
}

/** The server did not answer. */
export class Unreachable extends Error {}

const TOKEN = "chengtu.token";

/** The admin token of this browser tab, if someone signed in. */
export const token = {
  get: (): string | null => sessionStorage.getItem(TOKEN),
  set: (value: string | null): void => {
    if (value === null) sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, value);
  },
};

/** The token of this tab, as requests say it. */
export function bearer(): Record<string, string> {
  const held = token.get();
  return held === null ? {} : { Authorization: `Bearer ${held}` };
}

/** The event of a window whose page is no more in the exercise, or the reality, that its session is in. */
export const ELSEWHERE = "chengtu-elsewhere";
const REALITY = "none";
let pinned: Record<string, string> = {};

/** In which exercise something is meant (null: in reality); the server refuses it anywhere else. */
export const meant = (exercise: string | null): Record<string, string> => ({
  "Chengtu-Exercise": exercise ?? REALITY,
});

/** From now on this page shows an exercise (null: reality), and asks for nothing else. */
export function pin(exercise: string | null): void {
  pinned = meant(exercise);
}

/** Who asks, and in which exercise. */
export const authorization = (): Record<string, string> => ({ ...bearer(), ...pinned });

/** Whether who asked wants no answer any more, which is no failure; a signal that waited in vain says that none came. */
export const unwanted = (signal?: AbortSignal): boolean =>
  signal?.aborted === true && (signal.reason as Error).name !== "TimeoutError";

/** Fetch JSON from the server; throws Refused or Unreachable (an abort stays an AbortError). */
export async function get<T>(path: string, signal?: AbortSignal, headers = authorization()): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { headers, signal: signal ?? null });
  } catch (cause) {
    if (unwanted(signal)) throw cause;
    throw new Unreachable(path, { cause });
  }
  if (response.ok) return (await response.json()) as T;
  throw await refusal(response);
}

/** What the server refuses, with its codes and facts. */
export async function refusal(response: Response): Promise<Refused | Unreachable> {
  // A gateway in front of a stopped server answers for it.
  if (response.status === 502 || response.status === 504) return new Unreachable(response.url);
  const told = await problem(response);
  if (told.cause === "exercise_other") dispatchEvent(new Event(ELSEWHERE));
  return new Refused(response.status, told.detail ?? told.title ?? response.statusText, told);
}

/** The same of what a server may lack: null where it does. */
async function optional<T>(path: string): Promise<T | null> {
  try {
    return await get<T>(path);
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

async function problem(response: Response): Promise<Told & { title?: string; detail?: string }> {
  return response.headers.get("content-type")?.includes("problem+json") ? await response.json() : {};
}

const part = encodeURIComponent;

export const catalogue = (): Promise<Catalogue> => get("/layers");
export const layerDetail = (name: string): Promise<LayerDetail> => get(`/layers/${part(name)}`);
export const basemap = async (): Promise<Basemap | null> =>
  (await optional<{ base: Basemap | null }>("/basemap"))?.base ?? null;
export const rasters = async (palette: string): Promise<Raster[]> =>
  (await optional<{ rasters: Raster[] }>(`/rasters?palette=${part(palette)}`))?.rasters ?? [];
export const livePath = (layers: readonly string[]): string => `/live?layers=${layers.map(part).join(",")}`;
export const reverse = (lon: number, lat: number, signal?: AbortSignal): Promise<Reverse> =>
  get(`/reverse?lon=${lon}&lat=${lat}`, signal);
export const style = (palette: string, layers: readonly string[], lang: string): Promise<ServedStyle> =>
  get(`/styles/${part(palette)}.json?layers=${layers.map(part).join(",")}&lang=${lang}`);
export const search = (q: string, lang: string, signal: AbortSignal): Promise<{ results: SearchHit[] }> =>
  get(`/search?q=${part(q)}&limit=20&lang=${lang}`, signal);

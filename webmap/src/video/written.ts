/** Patrols and questions of sight as short texts that a URL can carry, and what they ask for. */
import { type Conditions, toCql2 } from "../page/conditions.ts";
import type { State } from "../page/state.ts";
import { type Mark, ringOf } from "../tools/marks.ts";

export const CAMERAS = "video";
export const SIZES = [1, 4, 9, 16] as const;
export const PACES_S = [5, 10, 20, 30, 60] as const;
export const USUAL: Pick<Patrol, "size" | "seconds"> = { size: 4, seconds: 10 };
/** More cameras than these are no patrol. */
export const MOST_SITES = 500;
export const MOST_PICKED = 64;
const SLOWEST_S = 600;

/** `from` is "listed" (what meets the filters), "sight", "drawn", "picked", or "area:" and a code. */
export interface Patrol {
  size: (typeof SIZES)[number];
  seconds: number;
  from: string;
}

const SOURCE = /^(listed|sight|drawn|picked|area:[\w-]{1,64})$/;

export const writePatrol = ({ size, seconds, from }: Patrol): string => `${size}/${seconds}/${from}`;

/** null for what makes no sense. */
export function readPatrol(text: string | undefined): Patrol | null {
  const [pictures, every, from = ""] = (text ?? "").split("/");
  const size = SIZES.find((each) => String(each) === pictures);
  const seconds = Number(every);
  if (size === undefined || !(seconds >= 1 && seconds <= SLOWEST_S) || !SOURCE.test(from)) return null;
  return { size, seconds, from };
}

export const writeSpot = ({ lon, lat }: { lon: number; lat: number }): string => `${lon.toFixed(6)},${lat.toFixed(6)}`;

export function readSpot(text: string | undefined): { lon: number; lat: number } | null {
  const [lon = Number.NaN, lat = Number.NaN] = (text ?? "").split(",").map(Number);
  return Math.abs(lon) <= 180 && Math.abs(lat) <= 85 ? { lon, lat } : null;
}

export const readPicked = (text: string | undefined): string[] =>
  (text ?? "").split(",").filter(Boolean).slice(0, MOST_PICKED);

/** The list with an id that it lacked, or without one that it held; a full list takes no more. */
export function toggled(picked: readonly string[], id: string): string | undefined {
  const next = picked.includes(id) ? picked.filter((each) => each !== id) : [...picked, id].slice(0, MOST_PICKED);
  return next.length > 0 ? next.join(",") : undefined;
}

/** The cameras of a patrol as CQL2 text (null: all); undefined where nothing names any. `areas` are rings of WKT. */
export function filterOf(
  from: string,
  state: Pick<State, "conditions" | "picked">,
  areas: readonly string[],
): string | null | undefined {
  if (from === "listed") return toCql2(state.conditions[CAMERAS]);
  if (from === "picked") {
    const ids = readPicked(state.picked);
    return ids.length > 0 ? toCql2({ id: { in: ids } }) : undefined;
  }
  if (from === "drawn") {
    const parts = areas.map((ring) => `S_INTERSECTS(geom, POLYGON((${ring})))`);
    return parts.length > 0 ? parts.join(" OR ") : undefined;
  }
  if (from.startsWith("area:")) return toCql2(ofArea(from.slice("area:".length)));
  return undefined;
}

/** Codes of counties and towns have 6 and 9 digits; any other is a grid's. */
function ofArea(code: string): Conditions {
  return /^(\d{6}|\d{9})$/.test(code) ? { admin_code: { starts: code } } : { grid_id: { in: [code] } };
}

/** The areas and circles that someone drew, as rings of WKT. */
export function drawnAreas(marks: readonly Mark[]): string[] {
  return marks
    .filter(({ kind }) => kind === "area" || kind === "circle")
    .map((mark) => ringOf(mark).map(([lon, lat]) => `${lon.toFixed(6)} ${lat.toFixed(6)}`))
    .map((ring) => ring.join(", "));
}

/** The address that a template stands for. */
export function address(template: string, { id, lon, lat }: { id: string; lon: number; lat: number }): string {
  const values: Record<string, string> = { id: encodeURIComponent(id), lon: lon.toFixed(6), lat: lat.toFixed(6) };
  return template.replace(/\{(id|lon|lat)\}/g, (_, name: string) => values[name] ?? "");
}

/** Each camera followed by the nearest that is left, so that those shown together lie together. */
export function walked<S extends { lon: number; lat: number }>(sites: readonly S[]): S[] {
  const left = [...sites];
  const way = left.splice(0, 1);
  for (let last = way[0]; last !== undefined && left.length > 0; last = way.at(-1)) {
    const from = last;
    const wide = Math.cos((from.lat * Math.PI) / 180);
    const away = left.map(({ lon, lat }) => Math.hypot((lon - from.lon) * wide, lat - from.lat));
    way.push(...left.splice(away.indexOf(Math.min(...away)), 1));
  }
  return way;
}

/** In the order of the ids; what is not there any more is left out. */
export function inOrder<S extends { id: string }>(sites: readonly S[], ids: readonly string[]): S[] {
  return ids.flatMap((id) => sites.find((site) => site.id === id) ?? []);
}

/** Where the screenful before or after begins; after the last comes the first. */
export function turned(at: number, by: 1 | -1, { size, total }: { size: number; total: number }): number {
  const screens = Math.max(1, Math.ceil(total / size));
  return ((Math.floor(at / size) + by + screens) % screens) * size;
}

/** Which of the eight winds a camera stands in, seen from the place that it looks at: 0 is north, 1 north-east. */
export const windOf = (bearing_deg: number): number => Math.round(((bearing_deg + 180) % 360) / 45) % 8;

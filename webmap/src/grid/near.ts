/** How far away things are, and in which direction. */
import type { LonLat } from "../city/api.ts";
import { distance_m } from "../tools/geodesy.ts";

export { distance_m };

const { atan2, cos, PI, sin } = Math;
const radians = (degrees: number): number => (degrees * PI) / 180;

/** The direction in which one sets out, in degrees clockwise from north. */
export function bearing_deg([lon1, lat1]: LonLat, [lon2, lat2]: LonLat): number {
  const east = radians(lon2 - lon1);
  const [from, to] = [radians(lat1), radians(lat2)];
  const angle = atan2(sin(east) * cos(to), cos(from) * sin(to) - sin(from) * cos(to) * cos(east));
  return ((angle * 180) / PI + 360) % 360;
}

export const COMPASS = ["n", "ne", "e", "se", "s", "sw", "w", "nw"] as const;
export type Compass = (typeof COMPASS)[number];

/** The nearest of the eight directions that have a name. */
export const compass = (bearing: number): Compass => COMPASS[Math.round(bearing / 45) % 8] as Compass;

export interface Placed {
  lon: number;
  lat: number;
  /** When it is due, RFC 3339; null: whenever. */
  due: string | null;
}

/** The nearest first; from nowhere, the one that is due first. */
export function nearestFirst<T extends Placed>(things: readonly T[], from: LonLat | null): T[] {
  const due = ({ due }: T): number => (due === null ? Number.POSITIVE_INFINITY : Date.parse(due));
  const soonest = (a: T, b: T): number => (due(a) === due(b) ? 0 : due(a) - due(b));
  if (from === null) return [...things].sort(soonest);
  const far = new Map(things.map((thing) => [thing, distance_m(from, [thing.lon, thing.lat])]));
  return [...things].sort((a, b) => (far.get(a) as number) - (far.get(b) as number) || soonest(a, b));
}

/** "320 m", "1.4 km": as exactly as one needs to find a place. */
export function distanceText(metres: number): string {
  if (metres < 1_000) return `${metres < 100 ? Math.round(metres) : Math.round(metres / 10) * 10} m`;
  return `${(metres / 1_000).toFixed(metres < 10_000 ? 1 : 0)} km`;
}

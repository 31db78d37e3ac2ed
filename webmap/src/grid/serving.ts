/** Who can serve a need, and why: the same rule as the server's (`layers/loop/care/serving.py`), without a network. */
import type { LonLat } from "../city/api.ts";
import type { Provider } from "../city/care.ts";
import { distance_m } from "./near.ts";

export interface Wanted {
  kind: string;
  at: LonLat;
  /** Codes of the place: of its grid, of its town; what is not known is left out. */
  codes: readonly string[];
  /** When it is wished for; null: whenever. */
  when: Date | null;
}

export interface Fit {
  provider: Provider;
  /** Null for a team without a place. */
  away_m: number | null;
  /** Whether it serves by its area, rather than by its reach. */
  byArea: boolean;
  /** Whether it is open then; null: nobody knows, or nobody asked. */
  open: boolean | null;
}

const CITY_OFFSET_MIN = 8 * 60;
const DAY_MIN = 24 * 60;

/** Those that serve it, the nearest first, and those without a place last; `closed` would, but not then. */
export function suggested(providers: readonly Provider[], wanted: Wanted): { fits: Fit[]; closed: number } {
  const able = providers.filter(({ kinds }) => kinds.includes(wanted.kind)).flatMap((each) => reaching(each, wanted));
  const far = ({ away_m }: Fit): number => away_m ?? Number.POSITIVE_INFINITY;
  const fits = able.filter(({ open }) => open !== false);
  const order = (a: Fit, b: Fit): number => {
    if (far(a) !== far(b)) return far(a) < far(b) ? -1 : 1;
    return a.provider.id < b.provider.id ? -1 : 1;
  };
  return { fits: fits.sort(order), closed: able.length - fits.length };
}

function reaching(provider: Provider, { at, codes, when }: Wanted): Fit[] {
  const { lon, lat, reach_m, areas } = provider;
  const away_m = lon === null || lat === null ? null : distance_m(at, [lon, lat]);
  const near = reach_m !== null && away_m !== null && away_m <= reach_m;
  const byArea = !near && areas.some((area) => codes.some((code) => code.startsWith(area)));
  if (!near && !byArea) return [];
  return [{ provider, away_m, byArea, open: when === null ? null : isOpen(provider.open, when) }];
}

/** Whether it is open then, by the city's time; null where its hours are not known. */
export function isOpen(open: Provider["open"], when: Date): boolean | null {
  if (open === null) return null;
  const minutes = Math.floor(when.getTime() / 60_000) + CITY_OFFSET_MIN;
  const minute = ((minutes % DAY_MIN) + DAY_MIN) % DAY_MIN;
  const day = (((Math.floor(minutes / DAY_MIN) + 3) % 7) + 7) % 7; // the first day of 1970 was a Thursday
  return open.some(([on, from, to]) => on === day && from <= minute && minute < to);
}

/** What happened to a record, from its versions; and what two people changed in it, from what both began with. */
import type { Geometry } from "geojson";
import type { Delivery, Item, LonLat, Properties, Version } from "../city/api.ts";

/** One thing that happened to a record, and the version that began with it (to which one can go back). */
export interface Event {
  kind: "recorded" | "changed" | "retired" | "revived";
  at: string | null;
  actor: string | null;
  delivery: Delivery | null;
  /** The properties that changed, with what they were and became. */
  changes: { name: string; before: Properties[string]; after: Properties[string] }[];
  /** How far a point went; null where it stayed or is no point. */
  moved_m: number | null;
  reshaped: boolean;
}

/**
 * The events of a record, the newest first. `versions` are its earlier ones, newest first; `now` is null once it is
 * retired; of the oldest version `more` says whether something came before it.
 */
export function eventsOf(now: Item | null, versions: readonly Version[], more: boolean): Event[] {
  const all = now === null ? [...versions] : [versionOf(now), ...versions];
  return all.flatMap((version, index) => {
    const before = all[index + 1];
    const ended = index === 0 ? null : (all[index - 1]?.from ?? null);
    // A version that ended before the next began, or that nothing follows, ended because the record was retired.
    const retired = version.to !== null && version.to !== ended ? [retirement(version)] : [];
    if (before === undefined && more) return retired;
    return [...retired, beginning(before, version)];
  });
}

function versionOf({ context, properties, geometry }: Item): Version {
  const { changedAt: from, changedBy: actor, delivery } = context;
  return { from, to: null, actor, delivery, properties, geometry };
}

function retirement({ to }: Version): Event {
  return { kind: "retired", at: to, actor: null, delivery: null, changes: [], moved_m: null, reshaped: false };
}

function beginning(before: Version | undefined, version: Version): Event {
  const { from: at, actor, delivery } = version;
  if (before === undefined)
    return { kind: "recorded", at, actor, delivery, changes: [], moved_m: null, reshaped: false };
  const revived = before.to !== null && before.to !== at;
  const moved = movedBy(before.geometry, version.geometry);
  return {
    kind: revived ? "revived" : "changed",
    at,
    actor,
    delivery,
    changes: changedNames(before.properties, version.properties).map((name) => ({
      name,
      before: before.properties[name] ?? null,
      after: version.properties[name] ?? null,
    })),
    moved_m: moved,
    reshaped: moved === null && !sameShape(before.geometry, version.geometry),
  };
}

export function changedNames(before: Properties, after: Properties): string[] {
  return Object.keys({ ...before, ...after }).filter((name) => (before[name] ?? null) !== (after[name] ?? null));
}

export const sameShape = (a: Geometry, b: Geometry): boolean => JSON.stringify(a) === JSON.stringify(b);

function movedBy(a: Geometry, b: Geometry): number | null {
  if (a.type !== "Point" || b.type !== "Point" || sameShape(a, b)) return null;
  return metresBetween(a.coordinates as LonLat, b.coordinates as LonLat);
}

const EARTH_RADIUS_M = 6_371_008.8;
const { PI, asin, cos, sin, sqrt } = Math;

/** The distance on a sphere of the Earth's mean radius: within half a percent of that on the ellipsoid. */
export function metresBetween([lon1, lat1]: LonLat, [lon2, lat2]: LonLat): number {
  const half = (degrees: number) => sin((degrees * PI) / 360) ** 2;
  const h = half(lat2 - lat1) + cos((lat1 * PI) / 180) * cos((lat2 * PI) / 180) * half(lon2 - lon1);
  return 2 * EARTH_RADIUS_M * asin(sqrt(h));
}

/** Which of a record's properties they changed, I changed, or both did, each to something else. */
export interface Sides {
  theirs: string[];
  mine: string[];
  both: string[];
}

export function sidesOf(base: Properties, theirs: Properties, mine: Properties): Sides {
  const changedByMe = changedNames(base, { ...base, ...mine });
  const changedByThem = changedNames(base, theirs);
  const differ = (name: string) => (theirs[name] ?? null) !== (mine[name] ?? null);
  return {
    theirs: changedByThem.filter((name) => !changedByMe.includes(name)),
    mine: changedByMe.filter((name) => !changedByThem.includes(name)),
    both: changedByMe.filter((name) => changedByThem.includes(name) && differ(name)),
  };
}

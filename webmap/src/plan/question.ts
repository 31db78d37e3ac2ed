/** A question while it is being built: what it is about, what it still lacks, and its place in the URL. */
import { ASKS, type Ask, type Draft, type GroupBy, RELATIONS, type Records, type Relation } from "../city/questions.ts";

export type { Ask, Draft, GroupBy, Records, Relation, Travel, Where } from "../city/questions.ts";
export { ASKS, GROUPS, RELATIONS } from "../city/questions.ts";

/** What a draft lacks before it can be asked. */
export type Lack = "layer" | "of" | "point" | "start" | "end" | "distance" | "radius" | "around" | "minutes" | "area";

export const MOST_CONDITIONS = 4;
export const MOST_METRES = 20_000;
const DEFAULT_RES = 8;

export const isNear = (relation: Relation): boolean => relation === "near" || relation === "not_near";
export const isSight = (relation: Relation): boolean => relation.endsWith("sees") || relation.endsWith("seen_by");

/** A new question of a kind, with what the old one has in common with it. */
export function asked(ask: Ask, before: Draft): Draft {
  const about = before.layer === undefined ? (before.records ?? {}) : recordsOf(before);
  switch (ask) {
    case "select":
      return { ask, ...about };
    case "nearest":
      return { ask, ...about, ...kept({ point: before.point }), k: 10 };
    case "count":
      return { ask, ...about, by: "class" };
    case "coverage_gap":
      return { ask, ...about, of: before.of ?? {}, distance_m: before.distance_m ?? 500 };
    case "buffer":
      return { ask, records: about, radius_m: before.radius_m ?? 500 };
    case "isochrone":
      return { ask, ...kept({ point: before.point }), minutes: [5, 10, 15], by: "walking" };
    case "route":
      return { ask, ...kept({ start: before.start, end: before.end }), by: "driving" };
  }
}

/** A count by something else: what belongs to the old way only goes. */
export function countedBy(draft: Draft, by: GroupBy): Draft {
  const { class_field: _, res: __, ...rest } = draft;
  return { ...rest, by, ...(by === "h3" ? { res: draft.res ?? DEFAULT_RES } : {}) };
}

export function recordsOf({ layer, filter, where }: Records): Records {
  return kept({ layer, filter, where });
}

// Parts that are absent must be absent from the JSON, too.
function kept<T extends object>(parts: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as never;
}

export function lacks(draft: Draft): Lack[] {
  const found: Lack[] = [];
  const records = (of: Records, lack: Lack): void => {
    if (of.layer === undefined) found.push(lack);
    for (const where of of.where ?? []) {
      if (where.geometry === undefined && where.layer === undefined && where.result === undefined) found.push("area");
      if (isNear(where.relation) && !fits(where.distance_m)) found.push("distance");
    }
  };
  if (["select", "nearest", "count", "coverage_gap"].includes(draft.ask)) records(draft, "layer");
  if (draft.ask === "coverage_gap") {
    records(draft.of ?? {}, "of");
    if (!fits(draft.distance_m)) found.push("distance");
  }
  if (draft.ask === "count" && draft.per !== undefined) records(draft.per, "of");
  if ((draft.ask === "nearest" || draft.ask === "isochrone") && draft.point === undefined) found.push("point");
  if (draft.ask === "buffer") {
    if (!fits(draft.radius_m)) found.push("radius");
    if (draft.geometry === undefined) records(draft.records ?? {}, "around");
  }
  if (draft.ask === "isochrone" && !(draft.minutes ?? []).some((each) => each > 0)) found.push("minutes");
  if (draft.ask === "route" && draft.start === undefined) found.push("start");
  if (draft.ask === "route" && draft.end === undefined) found.push("end");
  return [...new Set(found)];
}

const fits = (metres: number | undefined): boolean => metres !== undefined && metres > 0 && metres <= MOST_METRES;

/** The draft in the fragment of the URL; null where there is none or it makes no sense. */
export function draftFrom(fragment: string): Draft | null {
  const text = partOf(fragment, "ask");
  if (text === null) return null;
  try {
    const given: unknown = JSON.parse(text);
    return isDraft(given) ? given : null;
  } catch {
    return null;
  }
}

const isObject = (given: unknown): given is Record<string, unknown> =>
  typeof given === "object" && given !== null && !Array.isArray(given);
const absentOr = (given: unknown, is: (given: unknown) => boolean): boolean => given === undefined || is(given);
const isText = (given: unknown): boolean => typeof given === "string";
const areNumbers = (given: unknown): boolean =>
  Array.isArray(given) && given.every((each) => typeof each === "number" && Number.isFinite(each));
const isPoint = (given: unknown): boolean => areNumbers(given) && (given as number[]).length === 2;
const isShape = (given: unknown): boolean => isObject(given) && isText(given.type) && Array.isArray(given.coordinates);
const isWhere = (given: unknown): boolean =>
  isObject(given) &&
  RELATIONS.some((each) => each === given.relation) &&
  [given.layer, given.filter, given.result].every((each) => absentOr(each, isText)) &&
  absentOr(given.geometry, isShape);
const areRecords = (given: unknown): boolean =>
  isObject(given) &&
  [given.layer, given.filter].every((each) => absentOr(each, isText)) &&
  absentOr(given.where, (where) => Array.isArray(where) && where.every(isWhere));

/** Whether the form can show it; whether it can be asked, the server says. */
function isDraft(given: unknown): given is Draft {
  return (
    isObject(given) &&
    ASKS.some((each) => each === given.ask) &&
    areRecords(given) &&
    [given.of, given.per, given.records].every((each) => absentOr(each, areRecords)) &&
    [given.point, given.start, given.end].every((each) => absentOr(each, isPoint)) &&
    absentOr(given.geometry, isShape) &&
    absentOr(given.minutes, areNumbers)
  );
}

export function partOf(fragment: string, name: string): string | null {
  for (const part of fragment.replace(/^#/, "").split("&")) {
    // Someone may have written the link by hand, with = in its filter.
    const [key = ""] = part.split("=", 1);
    if (key !== name) continue;
    try {
      return decodeURIComponent(part.slice(key.length + 1));
    } catch {
      return null; // a link that someone cut short
    }
  }
  return null;
}

export const draftText = (draft: Draft): string => `ask=${encodeURIComponent(JSON.stringify(draft))}`;

/** The same question, however its parts are ordered. */
export function same(a: unknown, b: unknown): boolean {
  return ordered(a) === ordered(b);
}

function ordered(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

/** Needs of residents, who can serve them, and visits, as the server tells of them. */
import type { Title } from "../words/i18n.ts";
import { get, type LonLat } from "./api.ts";
import { post } from "./incidents.ts";
import { send } from "./session.ts";

export interface Entry {
  code: string;
  title: Title;
}
export interface NeedKind extends Entry {
  group: string;
}

/** The books of needs and visits. */
export interface CareWords {
  kinds: NeedKind[];
  groups: Entry[];
  sorts: Entry[];
  states: Entry[];
  visits: Entry[];
  outcomes: Entry[];
}

export interface NeedStep {
  id: number;
  step: string;
  title: Title;
  after: string;
  at: string;
  happened_at: string | null;
  actor: string;
  provider: string | null;
  incident: string | null;
  note: string | null;
}

/** What may be done next with a need, and what that must carry ("": nothing). */
export interface NeedOffer {
  step: string;
  title: Title;
  carries: "provider" | "note" | "incident" | "";
}

/** A need; who asked is masked, and cleared some time after it is over. */
export interface Need {
  id: number;
  kind: string;
  state: "open" | "arranged" | "done" | "withdrawn";
  lon: number;
  lat: number;
  grid_id: string | null;
  admin_code: string | null;
  words: string | null;
  wish_at: string | null;
  name: string | null;
  phone: string | null;
  home: string | null;
  provider: string | null;
  incident: string | null;
  told_at: string;
  taken_by: string;
  ended_at: string | null;
  cleared_at: string | null;
  scenario: string | null;
  steps: NeedStep[];
  offers: NeedOffer[];
  /** Names of those who serve or served it, by their ids. */
  providers: Record<string, string>;
}

/** One that serves: an office, a shop or a team; `open` are spans of a week, [day from 0 = Monday, from, to] in minutes. */
export interface Provider {
  id: string;
  name: string;
  sort: string;
  kinds: string[];
  lon: number | null;
  lat: number | null;
  reach_m: number | null;
  areas: string[];
  hours: string;
  phone: string;
  open: [day: number, from: number, to: number][] | null;
  synthetic: boolean;
}

export interface Visit {
  id: number;
  kind: string;
  outcome: string;
  lon: number;
  lat: number;
  grid_id: string | null;
  words: string | null;
  needs: number[];
  incidents: string[];
  visited_at: string;
  at: string;
  actor: string;
  scenario: string | null;
}

export interface Person {
  name: string | null;
  phone: string | null;
  home: string | null;
}

export const careWords = (): Promise<CareWords> => get("/needs/words");
export const needs = (): Promise<{ needs: Need[]; next: number | null }> => get("/needs?limit=200");
export const need = async (id: number): Promise<Need> => (await get<{ need: Need }>(`/needs/${id}`)).need;
export const visits = (): Promise<{ visits: Visit[]; next: number | null }> => get("/visits?limit=50");
export const providersNear = ([lon, lat]: LonLat): Promise<{ providers: Provider[] }> =>
  get(`/providers?lon=${lon}&lat=${lat}&limit=300`);

/** The matters that anybody may report, as Open311 tells them; who sees cases has them with the layer. */
export async function publicMatters(): Promise<Record<string, Title>> {
  const services =
    await get<{ service_code: string; service_name: string; description: string }[]>("/open311/v2/services.json");
  return Object.fromEntries(
    services.map((each) => [each.service_code, { zh: each.service_name, en: each.description }]),
  );
}

/** Who asked, in the clear; the server records who read it and what for. */
export const reveal = (id: number, purpose: string): Promise<Person> =>
  send("POST", `/needs/${id}/unmask`, { purpose });

/** Which needs a list holds; `area` is the beginning of a code, or a grid. */
export interface NeedsAsked {
  states: readonly Need["state"][];
  kind?: string;
  area?: string;
  newest?: boolean;
  limit?: number;
}

/** A page of needs behind the one of the number `after`; `next` is the `after` of the following page. */
export function needsOf(
  { states, kind = "", area = "", newest = false, limit = 50 }: NeedsAsked,
  after: number | null = null,
  signal?: AbortSignal,
): Promise<{ needs: Need[]; next: number | null }> {
  const query = new URLSearchParams({ state: states.join(","), limit: String(limit) });
  if (kind !== "") query.set("kind", kind);
  if (area !== "") query.set("area", area);
  if (newest) query.set("newest", "true");
  if (after !== null) query.set("after", String(after));
  return get(`/needs?${query}`, signal);
}

/** What a step of a need carries. */
export interface Brought {
  provider?: string;
  incident?: string;
  note?: string;
}

/** Take a step on top of the last one that was seen. */
export const takeNeedStep = (
  id: number,
  step: string,
  { expected, key, ...brought }: Brought & { expected: number; key: string },
): Promise<unknown> => post(`/needs/${id}/steps`, { step, expected, ...brought }, key);

/** One that serves a need, with the reasons. */
export interface Suggested {
  provider: Provider;
  /** Null for a team without a place. */
  distance_m: number | null;
  why: Title[];
}

/** Who serves it at its place, and then, the nearest first; `closed` counts those that would at another hour. */
export function suggestedFor(
  { kind, lon, lat, wish_at }: Pick<Need, "kind" | "lon" | "lat" | "wish_at">,
  signal?: AbortSignal,
): Promise<{ suggested: Suggested[]; closed: number }> {
  const query = new URLSearchParams({ kind, lon: String(lon), lat: String(lat) });
  if (wish_at !== null) query.set("at", wish_at);
  return get(`/providers/suggested?${query}`, signal);
}

export const VISITED_BY = ["grid", "town", "county"] as const;
export type VisitedBy = (typeof VISITED_BY)[number];

/** From the beginning of a moment to before another one, RFC 3339. */
export interface Span {
  start: string;
  end: string;
}

export interface VisitCount {
  area: string;
  visits: number;
  /** By kind. */
  kinds: Record<string, number>;
}

/** How many visits each area had; never by person. */
export const visitCounts = (
  by: VisitedBy,
  { start, end }: Span,
  signal?: AbortSignal,
): Promise<{ counts: VisitCount[] }> => get(`/visits/counts?${new URLSearchParams({ by, start, end })}`, signal);

/** The newest visits of an area in a time, or those before a number. */
export function visitsIn(
  { start, end }: Span,
  area: string,
  before: number | null = null,
  signal?: AbortSignal,
): Promise<{ visits: Visit[]; next: number | null }> {
  const query = new URLSearchParams({ start, end, limit: "50" });
  if (area !== "") query.set("area", area);
  if (before !== null) query.set("before", String(before));
  return get(`/visits?${query}`, signal);
}

/** The planner's questions: told, asked, kept, and what their answers hold. */
import type { Feature, Geometry } from "geojson";
import type { Title } from "../words/i18n.ts";
import type { Bounds, LonLat, Properties } from "./api.ts";
import * as api from "./api.ts";

const part = encodeURIComponent;

export const ASKS = ["select", "nearest", "count", "coverage_gap", "buffer", "isochrone", "route"] as const;
export type Ask = (typeof ASKS)[number];
export const RELATIONS = [
  "within",
  "crossing",
  "near",
  "not_near",
  "sees",
  "not_sees",
  "seen_by",
  "not_seen_by",
] as const;
export type Relation = (typeof RELATIONS)[number];
export const GROUPS = ["total", "class", "grid", "town", "county", "h3"] as const;
export type GroupBy = (typeof GROUPS)[number];
export type Travel = "walking" | "driving";

/** Where records must lie: towards an area drawn, records of a layer, or what an earlier result found. */
export interface Where {
  relation: Relation;
  geometry?: Geometry;
  layer?: string;
  filter?: string;
  result?: string;
  distance_m?: number;
}

export interface Records {
  layer?: string;
  filter?: string;
  where?: Where[];
}

/** Every part may still be missing. */
export interface Draft extends Records {
  ask: Ask;
  limit?: number;
  point?: LonLat;
  k?: number;
  by?: GroupBy | Travel;
  class_field?: string;
  res?: number;
  field?: string;
  per?: Records;
  radius_m?: number;
  geometry?: Geometry;
  records?: Records;
  of?: Records;
  distance_m?: number;
  reading?: "distance" | "uncovered";
  minutes?: number[];
  start?: LonLat;
  end?: LonLat;
}

/** What a question would ask, before it is asked. */
export interface Plan {
  title: Title;
  statement: Title;
  asked: Record<string, unknown>;
  layers: string[];
  layer: string | null;
  cql2: { text: string; json: unknown } | null;
  estimate: number | null;
  items: string | null;
}

export interface AnswerColumn {
  name: string;
  title: Title;
  kind: "text" | "code" | "integer" | "number" | "date" | "time" | "boolean";
  unit: string | null;
  words?: Record<string, Title>;
}

export interface Page {
  id: string;
  title: Title;
  statement: Title;
  asked: Draft;
  count: number;
  truncated: boolean;
  synthetic: boolean;
  attribution: Title | null;
  madeAt: string;
  bounds: Bounds | null;
  columns: AnswerColumn[];
  exports: Record<string, string>;
  offset: number;
  next: string | null;
  rows?: Properties[];
  features?: { features: Feature<Geometry | null, Properties>[] };
}

export type SummaryRow = [
  key: string,
  label: string | null,
  value: number | null,
  lon: number | null,
  lat: number | null,
];

export interface Summary {
  rows: SummaryRow[];
  /** Not all rows of the answer, or not all that could have been found. */
  cut: boolean;
  measure: { name: string; title: Title; unit: string | null } | null;
  classes: { name: string; title: Title; unit: string | null } | null;
  bars: { value: string | null; title: Title; n: number }[];
}

export interface Run {
  id: number;
  at: string;
  actor: string | null;
  statement: Title;
  rows: number;
  truncated: boolean;
  synthetic: boolean;
  summary?: Summary;
}

export interface KeptQuestion {
  id: string;
  title: Title;
  about: Title | null;
  question: Draft;
  /** One that ships. */
  ready: boolean;
  actor: string | null;
  at: string | null;
  last: Run | null;
}

/** Fetch with a body, or with another method than GET; throws as `get` does. */
async function send<T>(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  let response: Response;
  const headers = { ...api.authorization(), ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
  try {
    const given = body === undefined ? {} : { body: JSON.stringify(body) };
    response = await fetch(path, { method, headers, signal: signal ?? null, ...given });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new api.Unreachable(path, { cause });
  }
  if (response.status === 204) return undefined as T;
  if (response.ok) return (await response.json()) as T;
  throw await api.refusal(response);
}

const TRIES = 6;
const AGAIN_MS = 2_000;

/** The server works on a few questions at once: what comes by itself, with nobody pressing anything, waits its turn. */
async function inTurn<T>(asking: () => Promise<T>): Promise<T> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await asking();
    } catch (error) {
      if (left <= 1 || !(error instanceof api.Refused && error.status === 503)) throw error;
    }
    await new Promise((again) => setTimeout(again, AGAIN_MS));
  }
}

export const plan = (question: Draft, signal?: AbortSignal): Promise<Plan> =>
  inTurn(() => send("POST", "/query/plan", question, signal));
export const ask = (question: Draft, signal: AbortSignal): Promise<Page> => send("POST", "/query", question, signal);
export const summary = (id: string, signal?: AbortSignal): Promise<Summary> =>
  inTurn(() => api.get(`/query/results/${part(id)}/summary`, signal));
export const page = (path: string, signal?: AbortSignal): Promise<Page> => api.get(path, signal);

export const questions = (): Promise<{ questions: KeptQuestion[]; keeps: boolean }> => api.get("/questions");
export const keep = (title: string, question: Draft): Promise<KeptQuestion> =>
  send("POST", "/questions", { title, question });
export const forget = (id: string): Promise<void> => send("DELETE", `/questions/${part(id)}`, undefined);
export const runAgain = (id: string, signal: AbortSignal): Promise<Page & { run: Run }> =>
  send("POST", `/questions/${part(id)}/runs`, undefined, signal);
export const runs = (id: string): Promise<{ runs: Run[] }> => api.get(`/questions/${part(id)}/runs`);
export const run = (id: string, number: number): Promise<Run> => api.get(`/questions/${part(id)}/runs/${number}`);

/** A file of a result, as a blob: a plain link would not carry the token. */
export async function file(path: string): Promise<Blob> {
  const response = await fetch(path, { headers: api.authorization() });
  if (!response.ok) throw await api.refusal(response);
  return response.blob();
}

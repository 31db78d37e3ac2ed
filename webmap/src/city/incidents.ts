/** Incidents as the loop tells them: queues, single cases with what may be done, steps, photos, and what a caller's words come to. */
import type { Title } from "../words/i18n.ts";
import { authorization, get, Refused, refusal, Unreachable, unwanted } from "./api.ts";
import { newKey } from "./items.ts";

export const STATES = [
  "reported",
  "verified",
  "accepted",
  "registered",
  "dispatched",
  "disposing",
  "disposed",
  "checked",
  "closed",
  "rejected",
  "cancelled",
] as const;
export type IncidentState = (typeof STATES)[number];
export const LEVELS = ["critical", "urgent", "general"] as const;
export type Level = (typeof LEVELS)[number];
export type Light = "green" | "yellow" | "red" | "none";
export type Queue = "mine" | "department" | "overdue" | "area";

/** A case as queues list it. */
export interface Brief {
  id: string;
  title: string;
  matter: string;
  state: IncidentState;
  level: Level;
  light: Light;
  channel: string;
  line: string | null;
  lead: string | null;
  co: string[];
  address: string | null;
  /** Of the town, or of the county, that it lies in. */
  admin_code: string | null;
  grid_id: string | null;
  lon: number;
  lat: number;
  reported_at: string;
  /** When it has to be done; null before it is dispatched. */
  due_at: string | null;
  /** When the stage that it is in has to be over. */
  stage_due_at: string | null;
  suspended: boolean;
  command: number;
  returns: number;
  reworks: number;
  urges: number;
  deferrals: number;
  assignee: string | null;
  merged_into: string | null;
  scenario: string | null;
  /** How the note begins that was left with it, as long as nothing was done since; of queues alone. */
  handed_over?: string | null;
  /** The town or the county that it lies in, by name; of queues alone. */
  area?: string | null;
}

export interface QueuePage {
  incidents: Brief[];
  /** Where the next page begins; null: this was the last. */
  next: string | null;
}

/** What a step must or may carry; "proof" is a note or a photo. */
export type Need =
  | "note"
  | "proof"
  | "photo"
  | "reason"
  | "finding"
  | "until"
  | "lead"
  | "co"
  | "assignee"
  | "into"
  | "place"
  | "matter"
  | "level";
export interface Choice {
  code: string;
  title: Title;
}

/** A step that the case's state knows: whether whoever asked may take it now, why not, and what it carries. */
export interface Offer {
  step: string;
  title: Title;
  /** Where it leads; null: the state stays. */
  to: IncidentState | null;
  allowed: boolean;
  why: (Title & { cause: string }) | null;
  needs: Need[];
  takes: Need[];
  reasons: Choice[];
  findings: Choice[];
}

/** What a step was taken with. */
export interface Carries {
  note?: string;
  photos?: string[];
  reason?: string;
  finding?: string;
  until?: string;
  lead?: string;
  co?: string[];
  assignee?: string;
  into?: string;
  /** Put right. */
  matter?: string;
  level?: Level;
  lon?: number;
  lat?: number;
}

export interface Step {
  id: number;
  step: string;
  title: Title;
  before: IncidentState | null;
  after: IncidentState;
  at: string;
  actor: string;
  role: string | null;
  department: string | null;
  note: string | null;
  carries: Carries & Record<string, unknown>;
}

export interface Photo {
  id: string;
  step: number | null;
  width: number;
  height: number;
  at: string;
}

/** Who told of it; names, numbers and homes are masked. */
export interface Caller {
  id: number;
  channel: string;
  line: string | null;
  at: string;
  name: string | null;
  phone: string | null;
  home: string | null;
  reached_at: string | null;
  solved: boolean | null;
  satisfied: boolean | null;
  answer: string | null;
}

export interface Incident extends Brief {
  description: string | null;
  appeal: string | null;
  component_id: string | null;
  reporter: string | null;
  accepted_at: string | null;
  registered_at: string | null;
  dispatched_at: string | null;
  signed_at: string | null;
  disposed_at: string | null;
  checked_at: string | null;
  closed_at: string | null;
}

/** The table of states in words, as far as pages need it. */
export interface Rules {
  steps: { step: string; title: Title }[];
  reasons: Choice[];
  findings: Choice[];
  needs: Choice[];
}

/** One case with all that the caller may know of it. */
export interface Case {
  incident: Incident;
  steps: Step[];
  photos: Photo[];
  callers: Caller[];
  offers: Offer[];
}

/** What is reported; of the place a point, a grid or an address is enough. */
export interface Report {
  matter?: string;
  component_id?: string;
  title?: string;
  description: string;
  channel: string;
  line?: string;
  level?: Level;
  appeal?: string;
  lon?: number;
  lat?: number;
  grid_id?: string;
  address?: string;
  contact?: { name?: string; phone?: string; home?: string };
}

/** A case that may be the same, with the reasons. */
export interface Duplicate {
  id: string;
  title: string;
  state: IncidentState;
  distance_m: number;
  similarity: number;
  reported_at: string;
  lon: number;
  lat: number;
  why: Title[];
}

/** What is looked for among the open cases nearby. */
export interface Alike {
  channel: string;
  matter: string;
  lon: number;
  lat: number;
  title: string;
  description?: string;
}

/** A report or a step that was taken: its number is what the next one has to expect. */
export interface Receipt {
  /** The number of the case. */
  incident: string;
  step: number;
  state: IncidentState;
}

export interface StepResult {
  id: string;
  done: boolean;
  state: IncidentState | null;
  /** Why it was not done. */
  code?: string;
  cause?: string;
  why?: Title;
}

export interface QueueAsked {
  queue: Queue;
  states?: readonly string[];
  levels?: readonly string[];
  lights?: readonly string[];
  channel?: string;
  matter?: string;
  town?: string;
  lead?: string;
  text?: string;
  limit?: number;
}

const part = encodeURIComponent;
const pathOf = (id: string): string => `/incidents/${part(id)}`;

/** The address of the first page of a queue. */
export function queuePath({ states = [], levels = [], lights = [], ...asked }: QueueAsked): string {
  const query = new URLSearchParams({ queue: asked.queue });
  const lists = { state: states, level: levels, light: lights };
  for (const [name, values] of Object.entries(lists)) if (values.length > 0) query.set(name, values.join(","));
  for (const name of ["channel", "matter", "town", "lead", "text"] as const) {
    const value = asked[name];
    if (value) query.set(name, value);
  }
  query.set("limit", String(asked.limit ?? 50));
  return `/incidents?${query}`;
}

export const queue = (asked: QueueAsked, signal?: AbortSignal): Promise<QueuePage> => get(queuePath(asked), signal);
/** The page of a queue that a `next` begins. */
export const queueFrom = (asked: QueueAsked, next: string, signal?: AbortSignal): Promise<QueuePage> =>
  get(`${queuePath(asked)}&cursor=${part(next)}`, signal);
export const rules = (): Promise<Rules> => get("/incidents/rules");
export const incident = (id: string, signal?: AbortSignal): Promise<Case> => get(pathOf(id), signal);

/** Somebody who may be given a case, and how near it lies to where they work. */
export interface Assignee {
  login: string;
  name: string;
  near: "grid" | "town" | "county" | "city";
}
export const assignees = async (id: string, q: string, signal?: AbortSignal): Promise<Assignee[]> =>
  (await get<{ assignees: Assignee[] }>(`${pathOf(id)}/assignees?q=${part(q)}`, signal)).assignees;

/** Report; under one key the server files it once, however often it is sent. */
export const report = async (what: Report, key: string = newKey()): Promise<Receipt> =>
  (await post<{ receipt: Receipt }>("/incidents", what, key)).receipt;
export const duplicates = (what: Alike, signal?: AbortSignal): Promise<{ duplicates: Duplicate[] }> =>
  post("/incidents/duplicates", what, undefined, signal);

/** Take a step from where `expected` (the last step that was seen) left the case; Refused with 409 if others were quicker. */
export const takeStep = (
  id: string,
  step: string,
  { expected, carries, key = newKey() }: { expected: number; carries: Carries; key?: string },
): Promise<unknown> => post(`${pathOf(id)}/steps`, { step, expected, ...carries }, key);

/** The same step for many cases, each with its own result. */
export const takeSteps = (
  ids: readonly string[],
  step: string,
  { carries, key = newKey() }: { carries: Carries; key?: string },
): Promise<{ results: StepResult[] }> => post("/incidents/steps", { ids, step, ...carries }, key);

export const photoPath = (id: string, { small = false } = {}): string =>
  `/photos/${part(id)}${small ? "?small=1" : ""}`;

/** Add a photo to a case, to be carried by its next step. */
export async function addPhoto(id: string, photo: Blob, key: string = newKey()): Promise<Photo> {
  return (await sent(`${pathOf(id)}/photos`, photo, { "Content-Type": photo.type, "Idempotency-Key": key })) as Photo;
}

/** The bytes of a photo, for those who may see its case. */
export async function photo(id: string, { small = false } = {}, signal?: AbortSignal): Promise<Blob> {
  const path = photoPath(id, { small });
  let response: Response;
  try {
    response = await fetch(path, { headers: authorization(), signal: signal ?? null });
  } catch (cause) {
    if (unwanted(signal)) throw cause;
    throw new Unreachable(path, { cause });
  }
  if (!response.ok) throw await refusal(response);
  return response.blob();
}

/** Whether a step was refused because others had been quicker. */
export const overtaken = (error: unknown): boolean => error instanceof Refused && error.status === 409;

/** Send something, once under a key, and read what the server answers. */
export const post = async <T>(path: string, body: unknown, key?: string, signal?: AbortSignal): Promise<T> =>
  (await sent(
    path,
    JSON.stringify(body),
    { "Content-Type": "application/json", ...(key === undefined ? {} : { "Idempotency-Key": key }) },
    signal,
  )) as T;

async function sent(
  path: string,
  body: BodyInit,
  headers: Record<string, string>,
  signal?: AbortSignal,
): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { ...authorization(), ...headers },
      body,
      signal: signal ?? null,
    });
  } catch (cause) {
    if (unwanted(signal)) throw cause;
    throw new Unreachable(path, { cause });
  }
  if (!response.ok) throw await refusal(response);
  return response.json();
}

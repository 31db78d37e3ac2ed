/** What the server takes in: uploads with their examination, deliveries with their sources. */
import type { FeatureCollection, Geometry } from "geojson";
import type { Title } from "../words/i18n.ts";
import { authorization, get, Refused, type Told, token, Unreachable } from "./api.ts";

export type Words = Record<string, string>;
export interface Meanings {
  fields: Words;
  roles: Words;
  /** By field, what words of the file stand for. */
  values: Record<string, Words>;
}
export interface Correction {
  row: number;
  column: string;
  value: string | null;
}
/** What the person chose; null where the file, an earlier delivery or a guess decides. */
export interface Choices {
  layer: string | null;
  new_layer: string | null;
  title: string | null;
  public: boolean;
  source: string | null;
  table: string | null;
  encoding: string | null;
  frame: string | null;
  extent: string | null;
  swap: boolean;
  partial: boolean;
  meanings: Meanings | null;
  constants: Words;
  corrections: Correction[];
}

export interface Work {
  kind: "examine" | "load" | "undo";
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  steps: number;
  /** Seconds since 1970. */
  since: number;
  at: number;
  stage?: string;
  step?: number;
  /** Rows of the stage that are done, and how many there are, where that is known. */
  done?: number | null;
  amount?: number | null;
  why?: Why;
}

/** Why something was not done: what is wrong, what to do next, and the loader's own words. */
export interface Why extends Title {
  cause?: string;
  next?: Title | null;
  detail?: string | null;
}

export interface Help {
  option: string;
  value: string | null;
}
export interface RejectKind {
  code: string;
  field: string | null;
  title: Title | null;
  columns?: string[];
  whole: boolean;
  count: number;
  reason: Title;
  words?: string[];
}
export interface Column {
  header: string;
  samples: string[];
  field: string | null;
  role: string | null;
  alike: boolean;
}
export interface IntoField {
  name: string;
  title: Title;
  kind: string;
  required: boolean;
  book: string | null;
}
export interface Outcome {
  inserted: number;
  updated: number;
  unchanged: number;
  retired: number;
}
/** What an examination found; what it did not come to is absent. */
export interface Report {
  at: number;
  choices: Choices;
  tables: string[] | null;
  file?: string;
  table?: string;
  rows?: number;
  source?: string;
  layer?: string | null;
  new_layer?: string | null;
  guessed?: boolean;
  returned?: boolean;
  partial?: boolean;
  candidates?: { layer: string; score: number }[];
  shapes?: boolean;
  read?: number;
  coordinates?: string;
  findings?: { code: string; text: Title; severity: "note" | "warning" | "refusal"; help: Help[] }[];
  refused?: number;
  kinds?: RejectKind[];
  outcome?: Outcome | null;
  held?: number;
  many_retired?: boolean;
  refusal?: { kind: string; text: Title; next?: Title | null; detail?: string | null; help: Help[] };
  columns?: Column[];
  into?: { name: string; title: Title; geometry: string; fields: IntoField[] };
  meanings?: Meanings;
}

export interface Upload {
  id: string;
  at: number;
  files: Record<string, number>;
  choices: Choices;
  work: Work | null;
  report: Report | null;
  loaded: { delivery: number; at: number } | null;
}
export interface Waiting extends Pick<Upload, "id" | "at" | "files" | "work" | "loaded"> {
  rows: number | null;
}

export interface Reject {
  row: number;
  field: string | null;
  code: string;
  reason: Title;
  raw: string | null;
  whole: boolean;
  label?: string | null;
  title?: Title | null;
  cells?: { column: string; value: string | null }[];
  /** Of a row that has not the cells of the header: what stands beyond the last; then `cells` are all of its cells. */
  surplus?: (string | null)[];
}

export interface Delivery extends Outcome {
  id: number;
  layer: string;
  source: string;
  title: string;
  actor: string;
  at: string;
  undone: string | null;
  /** Rows that stayed out, and values that were left out or flagged. */
  refused: number;
  flagged: number;
  /** The share of rows that became records. */
  accepted: number | null;
}
export interface DeliveryDetail extends Delivery {
  kinds: RejectKind[];
  undoing: Work | null;
}
export interface Source {
  layer: string;
  source: string;
  deliveries: number;
  latest: Delivery;
  usual_s: number | null;
  age_s: number;
  freshness: "ok" | "warn" | "bad" | null;
}

export type PlaceKind = "added" | "changed" | "retired" | "unchanged" | "refused";
export type Places = FeatureCollection<Geometry, { id: string; label: string | null; kind: PlaceKind }> & {
  truncated: boolean;
};

const part = encodeURIComponent;

async function send<T>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<T> {
  const json = body === undefined ? {} : { "Content-Type": "application/json" };
  let response: Response;
  try {
    const content = body === undefined ? null : JSON.stringify(body);
    response = await fetch(path, { method, headers: { ...authorization(), ...json }, body: content });
  } catch (cause) {
    throw new Unreachable(path, { cause });
  }
  if (!response.ok) throw refusal(response.status, await response.text());
  return (response.status === 204 ? null : await response.json()) as T;
}

function refusal(status: number, text: string): Refused {
  let detail = String(status);
  let told: Told & { detail?: string } = {};
  try {
    told = JSON.parse(text) as Told & { detail?: string };
    const problems = Object.entries(told.problems ?? {}).map(([name, why]) => `${name}: ${why}`);
    detail = problems.join("; ") || told.detail || detail;
  } catch {
    // a gateway's page says nothing that helps
  }
  return new Refused(status, detail, told);
}

export const uploads = (): Promise<{ uploads: Waiting[]; most_mb: number }> => get("/uploads");
export const openUpload = (): Promise<Upload> => send("POST", "/uploads");
export const upload = (id: string, signal?: AbortSignal): Promise<Upload> => get(`/uploads/${part(id)}`, signal);
const STOPPED_AFTER_MS = 300;
const MOST_LOOKS = 40;

/** Forget an upload; when it is just being looked at, that is stopped first (loading has to be cancelled by name). */
export async function removeUpload(id: string): Promise<void> {
  let { work } = await upload(id);
  const examined = (): boolean => work?.kind === "examine" && (work.state === "queued" || work.state === "running");
  if (examined()) ({ work } = await cancel(id));
  for (let look = 0; examined() && look < MOST_LOOKS; look++) {
    await new Promise((done) => setTimeout(done, STOPPED_AFTER_MS));
    ({ work } = await upload(id));
  }
  await send("DELETE", `/uploads/${part(id)}`);
}
export const examine = (id: string, choices: Partial<Choices>): Promise<Upload> =>
  send("POST", `/uploads/${part(id)}/examine`, choices);
export const load = (id: string, allow_retire: boolean): Promise<Upload> =>
  send("POST", `/uploads/${part(id)}/load`, { allow_retire });
export const cancel = (id: string): Promise<Upload> => send("POST", `/uploads/${part(id)}/cancel`);
export const rejects = (
  id: string,
  offset: number,
  kind: RejectKind | null,
): Promise<{ total: number; rejects: Reject[] }> => get(`/uploads/${part(id)}/rejects?offset=${offset}${only(kind)}`);
export const preview = (id: string): Promise<Places> => get(`/uploads/${part(id)}/preview`);

const only = (kind: RejectKind | null): string =>
  kind === null ? "" : `&code=${part(kind.code)}${kind.field === null ? "" : `&field=${part(kind.field)}`}`;

export const sources = (): Promise<{ sources: Source[]; truncated: boolean }> => get("/deliveries/sources");
export const deliveriesOf = (
  layer: string,
  source: string,
): Promise<{ deliveries: Delivery[]; before: number | null }> =>
  get(`/deliveries?layer=${part(layer)}&source=${part(source)}&limit=50`);
export const delivery = (number: number, signal?: AbortSignal): Promise<DeliveryDetail> =>
  get(`/deliveries/${number}`, signal);
export const deliveryRejects = (number: number, offset: number): Promise<{ rejects: Reject[] }> =>
  get(`/deliveries/${number}/rejects?offset=${offset}`);
export const deliveryPlaces = (number: number): Promise<Places> => get(`/deliveries/${number}/places`);
export const undo = (number: number): Promise<DeliveryDetail> => send("POST", `/deliveries/${number}/undo`);

/** Send one file; `told` hears how much of it is there. */
export function putFile(id: string, file: File, told: (share: number) => void): Promise<void> {
  return new Promise((settle, fail) => {
    const request = new XMLHttpRequest(); // fetch does not tell how far a body has got
    request.open("PUT", `/uploads/${part(id)}/files/${part(file.name)}`);
    const held = token.get();
    if (held !== null) request.setRequestHeader("Authorization", `Bearer ${held}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => told(total > 0 ? loaded / total : 0);
    request.onload = () => (request.status < 300 ? settle() : fail(refusal(request.status, request.responseText)));
    request.onerror = () => fail(new Unreachable(file.name));
    request.send(file);
  });
}

/** The rows that were refused, as a workbook. */
export async function refusedWorkbook(id: string): Promise<Blob> {
  const response = await fetch(`/uploads/${part(id)}/refused.xlsx`, { headers: authorization() });
  if (!response.ok) throw refusal(response.status, await response.text());
  return response.blob();
}

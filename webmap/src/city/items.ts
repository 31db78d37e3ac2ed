/** Single records: read with their version, changed, made, retired and put back, and what stands around a place. */
import type { Geometry } from "geojson";
import {
  authorization,
  get,
  type Item,
  type Properties,
  Refused,
  type Told,
  Unreachable,
  unwanted,
  type Version,
} from "./api.ts";

/** A record and the version as which it was read (its ETag). */
export interface Held {
  record: Item;
  version: string;
}

/** What an edit changes; what is not named stays. */
export interface Change {
  properties: Properties;
  geometry?: Geometry;
}

/** The server refused a change: `problems` names the fields that do not take their value. */
export class ChangeRefused extends Refused {
  readonly problems: Record<string, string>;
  constructor(status: number, detail: string, told: Told) {
    super(status, detail, told);
    this.problems = told.problems ?? {};
  }
}

export interface Near {
  id: string;
  distance_m: number;
  lon: number;
  lat: number;
  properties: Properties;
}

export interface Around {
  layer: string;
  records: Near[];
  truncated: boolean;
}

export interface Versions {
  versions: Version[];
  next: string | null;
}

/** A camera near a place; `bearing_deg` is the way from it to the place, null at its foot. */
export interface Camera {
  id: string;
  name: string | null;
  status: string | null;
  lon: number;
  lat: number;
  heading_deg: number | null;
  hfov_deg: number | null;
  range_m: number | null;
  distance_m: number;
  bearing_deg: number | null;
  /** Whether a building may stand in between; null where nobody knows. */
  blocked?: boolean | null;
  /** The building, and whether that follows from heights or from its footprint alone. */
  obstacle?: { id: string; name: string | null; how: "height" | "plan" } | null;
}

export interface Sight {
  cameras: Camera[];
  unknown: Camera[];
  truncated: boolean;
}

const part = encodeURIComponent;
const pathOf = (layer: string, id: string): string => `/items/${part(layer)}/${part(id)}`;

/** A key under which the server does a change only once, however often it is sent. */
export function newKey(): string {
  // `randomUUID` is for secure pages only, and a closed network often serves plain HTTP.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function read(layer: string, id: string, signal?: AbortSignal): Promise<Held> {
  return held(await send("GET", pathOf(layer, id), { signal }));
}

export async function change(of: Held, changed: Change, key: string): Promise<Held> {
  return held(await send("PATCH", pathOf(of.record.layer, of.record.id), { match: of.version, key, body: changed }));
}

export async function create(layer: string, made: Change & { id?: string }, key: string): Promise<Held> {
  return held(await send("POST", `/items/${part(layer)}`, { key, body: made }));
}

export async function retire(of: Held): Promise<void> {
  await send("DELETE", pathOf(of.record.layer, of.record.id), { match: of.version });
}

/** Put a record back to the version that began at `since`, else to its last one; `version` is null once it is retired. */
export async function restore(
  { layer, id }: { layer: string; id: string },
  { version, since = null }: { version: string | null; since?: string | null },
  key: string,
): Promise<Held> {
  return held(await send("POST", `${pathOf(layer, id)}/restore`, { match: version, key, body: { since } }));
}

/** A page of earlier versions, newest first; `next` leads to those before them. */
export const history = (layer: string, id: string, signal?: AbortSignal): Promise<Versions> =>
  historyAt(`${pathOf(layer, id)}/history?limit=20`, signal);
export const historyAt = (path: string, signal?: AbortSignal): Promise<Versions> => get(path, signal);

export const nearby = (
  { lon, lat }: { lon: number; lat: number },
  { layers, radius_m, limit }: { layers: readonly string[]; radius_m: number; limit: number },
): Promise<{ layers: Around[] }> =>
  get(`/nearby?lon=${lon}&lat=${lat}&radius_m=${radius_m}&limit=${limit}&layers=${layers.map(part).join(",")}`);

/** The cameras whose view holds a place, and those nearby of which nobody knows where they look. */
export const sight = (
  { lon, lat }: { lon: number; lat: number },
  limit: number,
  signal?: AbortSignal,
): Promise<Sight> => get(`/sight?lon=${lon}&lat=${lat}&limit=${limit}`, signal);

interface Sent {
  match?: string | null;
  key?: string;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

async function send(method: string, path: string, { match, key, body, signal }: Sent): Promise<Response> {
  const headers: Record<string, string> = { ...authorization() };
  if (match) headers["If-Match"] = match;
  if (key) headers["Idempotency-Key"] = key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(path, { method, headers, body: JSON.stringify(body) ?? null, signal: signal ?? null });
  } catch (cause) {
    if (unwanted(signal)) throw cause;
    throw new Unreachable(path, { cause });
  }
  if (response.ok) return response;
  if (response.status === 502 || response.status === 504) throw new Unreachable(path);
  throw await refusal(response);
}

async function held(response: Response): Promise<Held> {
  return { record: (await response.json()) as Item, version: response.headers.get("ETag") ?? "" };
}

async function refusal(response: Response): Promise<ChangeRefused> {
  if (!response.headers.get("content-type")?.includes("problem+json"))
    return new ChangeRefused(response.status, response.statusText, {});
  const told = (await response.json()) as Told & { title?: string; detail?: string };
  return new ChangeRefused(response.status, told.detail ?? told.title ?? response.statusText, told);
}

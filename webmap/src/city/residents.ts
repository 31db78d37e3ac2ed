/** Reports of residents without an account: what the city offers them, and the receipt by which they read one back. */
import type { Title } from "../words/i18n.ts";
import { get, refusal, Unreachable, unwanted } from "./api.ts";
import type { Report } from "./incidents.ts";

export interface Offered {
  /** Whether residents may report without an account. */
  open: boolean;
  hourly: number;
}

/** A class of matters as Open311 names it: its Chinese name, and what people say for it. */
export interface Service {
  service_code: string;
  service_name: string;
  /** The English name. */
  description: string;
  keywords: string;
  group: string | null;
}

/** What opens a report that somebody made: its number, and the ticket that was told only once. */
export interface Key {
  id: string;
  ticket: string;
}

export interface Told {
  id: string;
  title: string;
  address: string | null;
  reported_at: string;
  due_at: string | null;
  closed_at: string | null;
  suspended: boolean;
  matter: Title;
  state: { code: string; title: Title };
  department: Title | null;
  /** The earliest first. */
  steps: { step: string; title: Title; at: string; reason: Title | null }[];
  /** What shows how it looks now, once it is said to be done. */
  photos: string[];
  /** How far the case is into which this one was merged. */
  continued: { state: { code: string; title: Title }; department: Title | null; closed_at: string | null } | null;
  withdrawable: boolean;
}

const part = encodeURIComponent;
const pathOf = ({ id }: Key): string => `/incidents/${part(id)}/receipt`;

export const offered = (): Promise<Offered> => get("/public-reports");
export const services = (): Promise<Service[]> => get("/open311/v2/services.json");
/** Up to three matters that words may be about, the likeliest first. */
export const likely = async (text: string, signal?: AbortSignal): Promise<(Title & { matter: string })[]> =>
  (await (await sent("/public-reports/matters", { text }, signal)).json()).matters;
/** Report; under one key the server files it once, however often it is sent. */
export async function file(report: Report, key: string): Promise<Key> {
  const { receipt, ticket } = await (await sent("/incidents", report, null, { "Idempotency-Key": key })).json();
  return { id: receipt.incident, ticket };
}
export const told = async (key: Key): Promise<Told> => (await asked(pathOf(key), opened(key))).json();
export const photo = async (key: Key, id: string): Promise<Blob> =>
  (await asked(`${pathOf(key)}/photos/${part(id)}`, opened(key))).blob();
export const withdraw = async (key: Key): Promise<void> =>
  void (await asked(pathOf(key), { ...opened(key), method: "DELETE" }));
/** Add a picture to what was just reported, once under a key of its own. */
export async function addPhoto(key: Key, picture: Blob, once: string): Promise<void> {
  const { headers } = opened(key);
  const own = { ...headers, "Content-Type": picture.type, "Idempotency-Key": once };
  await asked(`/incidents/${part(key.id)}/photos`, { method: "POST", body: picture, headers: own });
}

const opened = ({ ticket }: Key): { headers: Record<string, string> } => ({ headers: { "X-Report-Ticket": ticket } });

const sent = (
  path: string,
  body: unknown,
  signal: AbortSignal | null = null,
  headers: Record<string, string> = {},
): Promise<Response> =>
  asked(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...headers },
    signal,
  });

/** Whoever reports here does so without an account, also where somebody is signed in. */
async function asked(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, credentials: "omit" });
  } catch (cause) {
    if (unwanted(init.signal ?? undefined)) throw cause;
    throw new Unreachable(path, { cause });
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

/** Calling people back: who waits for it, what they answered, the three rates of a period, and a week's bulletin. */
import type { Title } from "../words/i18n.ts";
import { get } from "./api.ts";
import { post } from "./incidents.ts";

/** A caller who waits; name and number are masked. */
export interface Due {
  caller: number;
  incident: string;
  title: string;
  lead: string | null;
  line: string | null;
  done_at: string;
  name: string | null;
  phone: string;
  /** How often nobody answered. */
  tries: number;
}

/** `contact`: a department speaks with the caller while the case is at work; `callback`: asked after it was done. */
export type Kind = "contact" | "callback";

/** How a call went; only who was called back and reached answers whether it is solved and they are satisfied. */
export interface Told {
  kind: Kind;
  reached: boolean;
  solved?: boolean;
  satisfied?: boolean;
  text?: string;
}

export interface Rate {
  numerator: number;
  denominator: number;
  /** Null where nothing was counted. */
  rate: number | null;
}

export type Exclusion = "without_number" | "unreachable" | "outside_remit" | "repeats";

export interface ThreeRates {
  response: Rate;
  solved: Rate;
  satisfied: Rate;
  exclusions: Record<Exclusion, number>;
  /** Callers who are still being tried. */
  pending: number;
}

export const BYS = ["department", "line", "town"] as const;
export type By = (typeof BYS)[number];

export interface Rates {
  from: string;
  to: string;
  by: By;
  rules: { contact_hours: number; attempts: number; repeat_days: number; floor: number };
  groups: ({ key: string | null; title: Title | null } & ThreeRates)[];
  total: ThreeRates;
}

export interface Bulletin {
  week: string;
  from: string;
  to: string;
  received: number;
  received_before: number;
  change: number;
  assigned: number;
  repeats: number;
  topics: (Title & { matter: string; n: number; before: number })[];
  floor: number;
  below_floor: ({ department: string; title: Title } & Rate)[];
}

/** A page of those who wait, the longest first; `next` is where the following one begins. */
export const due = (
  { limit, cursor }: { limit: number; cursor?: string },
  signal?: AbortSignal,
): Promise<{ callbacks: Due[]; next: string | null }> =>
  get(
    `/hotline/callbacks?limit=${limit}${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
    signal,
  );

export const callBack = (incident: string, caller: number, told: Told): Promise<unknown> =>
  post(`/incidents/${encodeURIComponent(incident)}/callers/${caller}/callback`, told);

export const rates = (days: { from: string; to: string }, by: By, signal?: AbortSignal): Promise<Rates> =>
  get(`/hotline/rates?from=${days.from}&to=${days.to}&by=${by}`, signal);

/** The figures of a week like 2026-W47. */
export const bulletin = (week: string, signal?: AbortSignal): Promise<Bulletin> =>
  get(`/hotline/bulletin?week=${encodeURIComponent(week)}`, signal);

/** Exercises: listed, opened, closed; entered and left by this session; what one leaves behind. */
import type { Title } from "../words/i18n.ts";
import { get } from "./api.ts";
import { send } from "./session.ts";

export interface Exercise {
  id: string;
  title: string;
  note: string | null;
  /** How the codes of its area begin; null: the whole city. */
  area: string | null;
  roles: string[];
  openedAt: string;
  openedBy: string;
  closedAt: string | null;
  closedBy: string | null;
}

export interface Listed extends Exercise {
  /** Whether one may close it and read all of its record. */
  yours: boolean;
}

export interface Counted extends Listed {
  counts: { cases: number; underWay: number; overdue: number; steps: number; notices: number };
}

export interface Recorded {
  id: number;
  incident: string;
  of: string | null;
  title: Title;
  at: string;
  actor: string;
  note: string | null;
}

export interface Unsent {
  id: number;
  incident: string | null;
  at: string;
  text: Title;
  audience: { departments?: string[]; people?: string[]; command?: number; area?: string | null; desk?: boolean };
  /** The channels that would have taken it. */
  channels: string[];
}

interface Share {
  numerator: number;
  denominator: number;
}

/** What was counted in an exercise, and in nothing else, up to its closing (or now). */
export interface Figures {
  until: string;
  /** Whether there was more than can be counted at once. */
  truncated: boolean;
  indicators: { name: string; title: Title; left_out: Title }[];
  rows: { rates: Record<string, Share>; score: number | null }[];
  hotline: { total: Record<"response" | "solved" | "satisfied", Share> };
}

const part = encodeURIComponent;

export const exercises = (): Promise<{ exercises: Listed[] }> => get("/exercises");
export const exercise = (id: string): Promise<Counted> => get(`/exercises/${part(id)}`);
export const open = (made: { title: string; note?: string; area?: string }): Promise<Exercise> =>
  send("POST", "/exercises", made);
export const close = (id: string): Promise<Exercise> => send("POST", `/exercises/${part(id)}/close`);
export const figuresOf = (id: string): Promise<Figures> => get(`/exercises/${part(id)}/figures`);
/** Where walls show it: an address that is told only now, and takes the place of the one before. */
export const wallOf = (id: string): Promise<{ path: string }> => send("POST", `/exercises/${part(id)}/wall`, {});
/** Enter an exercise, or (null) leave the one that the session is in. */
export const enter = (id: string | null): Promise<unknown> => send("PUT", "/session/exercise", { id });
export const stepsIn = (id: string, after: number): Promise<{ steps: Recorded[]; after: number | null }> =>
  get(`/exercises/${part(id)}/steps?after=${after}`);
export const outboxOf = (id: string, after: number): Promise<{ notices: Unsent[]; after: number | null }> =>
  get(`/exercises/${part(id)}/outbox?after=${after}`);

/** The hotline's desk: its lines, what a caller's words come to, and what the classifier learns of its mistakes. */
import type { Title } from "../words/i18n.ts";
import { get } from "./api.ts";
import { type IncidentState, post } from "./incidents.ts";

/** `referred` lines are not taken here: emergency numbers have their own desks. */
export interface Line {
  code: string;
  number: string;
  title: Title;
  kind: string;
  department: string | null;
  /** Invented for the demonstration. */
  demo: boolean;
}

export interface Guess extends Title {
  matter: string;
  /** From 0 to 1. */
  confidence: number;
}

export interface FoundPlace {
  lon: number;
  lat: number;
  label: string;
  method: string;
  precision: string;
  /** Those of the sentence that it was found by. */
  words: string;
  grid_id: string | null;
  admin_code: string | null;
}

export interface Answer {
  id: number;
  question: string;
  answer: string;
  source: string;
  number: string | null;
  dated: string | null;
  /** Invented for the demonstration. */
  synthetic: boolean;
}

/** A case that the same number told of lately. */
export interface Earlier {
  id: string;
  title: string;
  state: IncidentState;
  reported_at: string;
}

/** What a caller's words come to. */
export interface Draft {
  title: string;
  appeal: { code: string; words: string | null };
  /** Which classifier guessed; null while there is none. */
  model: string | null;
  matters: Guess[];
  unsure: boolean;
  places: FoundPlace[];
  answers: Answer[];
  earlier: Earlier[];
  line: Line;
}

/** What somebody says, and on which line. */
export interface Call {
  text: string;
  line?: string;
  phone?: string;
}

export const lines = (): Promise<{ lines: Line[] }> => get("/hotline/lines");
export const draft = (call: Call, signal?: AbortSignal): Promise<Draft> =>
  post("/hotline/intake/draft", call, undefined, signal);
/** What words are about, by somebody who knows better than the classifier. */
export const correct = (told: {
  text: string;
  matter: string;
  guessed: string | null;
  model: string | null;
}): Promise<unknown> => post("/hotline/corrections", told);

/** What a worker did and the server may not know yet: in which order it is sent, and what each answer means for the rest. */
import type { Told } from "../city/api.ts";

/** What is sent: `photos` of a step names photos by the keys under which they were taken. */
export interface Report {
  kind: "report";
  body: Record<string, unknown>;
}
export interface Step {
  kind: "step";
  step: string;
  carries: Record<string, unknown>;
  photos: readonly string[];
  /** The last step of the case that the worker saw; null for what follows an act of the worker's own. */
  expected: number | null;
}
export interface Photo {
  kind: "photo";
  /** Whether it was taken for the report that arrives before it, not for a step after it. */
  ofReport: boolean;
}
/** A need, a step of one, or a visit: `fills` names fields that other acts give a number to. */
export interface Care {
  kind: "need" | "needStep" | "visit";
  path: string;
  body: Readonly<Record<string, unknown>>;
  fills: readonly Fill[];
  /** The last step of the need that was seen; null for what follows an act of the worker's own, and for what is new. */
  expected: number | null;
}
/** The number of what another act makes, as the one value of a field or as one of many. */
export interface Fill {
  field: string;
  of: string;
  many: boolean;
}
export type Doing = Report | Step | Photo | Care;

/** Why the server did not take an act. */
export interface Refusal {
  status: number;
  said: string;
  told: Told;
}

/** One thing done; its key makes the server do it once, however often it is sent. */
export interface Act {
  seq: number;
  key: string;
  owner: string;
  /** The number of the case, or `new:` and the key of the report by which it is made. */
  of: string;
  /** What the lists call it. */
  title: string;
  at: string;
  /** In which exercise it was done, and nowhere else is sent; null: in reality. */
  exercise: string | null;
  doing: Doing;
  refused: Refusal | null;
  /** The server would not have its time: it is sent without one. */
  untimed?: boolean;
}

/** How far a case has come by this phone's own acts. */
export interface Progress {
  /** Its number, once its report has arrived. */
  id: string | null;
  /** The last step that an answer told of. */
  seen: number | null;
  /** By the key under which it was taken, the server's name of a photo that has arrived. */
  photos: Readonly<Record<string, string>>;
}

export interface Box {
  acts: readonly Act[];
  cases: Readonly<Record<string, Progress>>;
}

export const EMPTY: Box = { acts: [], cases: {} };
const NEW = "new:";
const UNTOUCHED: Progress = { id: null, seen: null, photos: {} };

/** What a case that this phone reports is called until the server gives it a number. */
export const localCase = (key: string): string => `${NEW}${key}`;
export const isLocal = (of: string): boolean => of.startsWith(NEW);
const inOrder = (acts: readonly Act[]): Act[] => [...acts].sort((a, b) => a.seq - b.seq);

/** The case as the server calls it; null while its report has not arrived. */
export const serversId = (box: Box, of: string): string | null => (isLocal(of) ? (box.cases[of]?.id ?? null) : of);

/** What of a box was done in this exercise (null: in reality); only that is sent from there. */
export const within = (box: Box, exercise: string | null): Box => ({
  ...box,
  acts: box.acts.filter((act) => isOf(act, exercise)),
});

/** Whether an act was done in this exercise; those that an earlier release kept were done in reality. */
export const isOf = (act: Act, exercise: string | null): boolean => (act.exercise ?? null) === exercise;

/** What an act cannot go before: what it is about, and what it names. */
const behind = ({ of, doing }: Act): string[] => [of, ...("fills" in doing ? doing.fills.map((each) => each.of) : [])];

/** The next to be sent: the oldest of those whose case no refusal holds up; null when nothing can be sent. */
export function nextAct(box: Box): Act | null {
  const held = new Set<string>();
  for (const act of inOrder(box.acts)) {
    if (act.refused !== null || behind(act).some((of) => held.has(of))) held.add(act.of);
    else return act;
  }
  return null;
}

/** Those that wait behind a refusal of their case. */
export function heldUp(box: Box): Act[] {
  const held = new Set<string>();
  return inOrder(box.acts).filter((act) => {
    const waits = behind(act).some((of) => held.has(of));
    if (act.refused !== null || waits) held.add(act.of);
    return act.refused === null && waits;
  });
}

export const added = (box: Box, act: Act): Box => ({ ...box, acts: [...box.acts, act] });

/** What an act's answer told: the number of the case, its last step, the photo's name. */
export interface Answered {
  id?: string;
  seen?: number;
  photo?: string;
}

/** The act has arrived: it is gone, and those that follow it know what the answer told. */
export function arrived(box: Box, act: Act, { id, seen, photo }: Answered): Box {
  const before = box.cases[act.of] ?? UNTOUCHED;
  const after: Progress = {
    id: id ?? before.id,
    seen: seen ?? before.seen,
    photos: photo === undefined ? before.photos : { ...before.photos, [act.key]: photo },
  };
  return tidied({ acts: without(box.acts, act), cases: { ...box.cases, [act.of]: after } });
}

/** The server will not have it: it stays, and holds up what follows it on the same case. */
export function refusedBy(box: Box, act: Act, refused: Refusal): Box {
  return { ...box, acts: box.acts.map((each) => (each.key === act.key ? { ...each, refused } : each)) };
}

/** The worker gives a refused act up; without its report nothing can follow on a case. */
export function dropped(box: Box, act: Act): Box {
  const gone = act.doing.kind === "report" ? box.acts.filter(({ of }) => of === act.of) : [act];
  const keys = new Set(gone.map(({ key }) => key));
  return tidied({ ...box, acts: box.acts.filter(({ key }) => !keys.has(key)) });
}

/** The worker stands by a refused act, having seen what changed: a new one in its place, under a key of its own. */
export function doneAgain(box: Box, act: Act, { key, seen }: { key: string; seen: number | null }): Box {
  const doing: Doing = "expected" in act.doing ? { ...act.doing, expected: seen } : act.doing;
  const again: Act = { ...act, key, doing, refused: null, ...(isMistimed(act) ? { untimed: true } : {}) };
  return { ...box, acts: box.acts.map((each) => (each.key === act.key ? again : each)) };
}

/** Whether the server refused the time at which it was done. */
export const isMistimed = ({ refused }: Act): boolean => refused?.told.cause?.startsWith("happened_") ?? false;

/** After so long what is sent says when it was done. */
const LATE_MS = 120_000;

/** What an act tells of its time: nothing when it is sent as it is done. */
export function happenedAt({ at, untimed }: Act, now: number): { happened_at?: string } {
  return untimed === true || now - Date.parse(at) <= LATE_MS ? {} : { happened_at: at };
}

/** The step that a server is asked to take: whatever it must know of what arrived before. */
export function stepNow(box: Box, act: Act & { doing: Step }): { expected: number | null; photos: string[] } {
  const { seen, photos } = box.cases[act.of] ?? UNTOUCHED;
  return {
    expected: act.doing.expected ?? seen,
    photos: act.doing.photos.flatMap((key) => photos[key] ?? []),
  };
}

// A case's progress is of use only while something of it waits.
function tidied(box: Box): Box {
  const waiting = new Set(box.acts.map(({ of }) => of));
  return { ...box, cases: Object.fromEntries(Object.entries(box.cases).filter(([of]) => waiting.has(of))) };
}

const without = (acts: readonly Act[], gone: Act): Act[] => acts.filter(({ key }) => key !== gone.key);

/** What an answer's status means: done; another try later; nobody is signed in; or no. */
export type Meaning = "done" | "later" | "who" | "no";
const LATER = new Set([408, 423, 425, 429]);

export function meaningOf(status: number): Meaning {
  if (status >= 200 && status < 300) return "done";
  if (status === 401) return "who";
  return status >= 500 || LATER.has(status) ? "later" : "no";
}

/** For how long a server that is busy wants to be left alone, in milliseconds; 0 where it does not say. */
export function asked_ms(header: string | null): number {
  const seconds = Number(header ?? "0");
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 600) * 1_000 : 0;
}

/** Sends what waits, one act after another, each until the server has answered for it. */
import { waitMs } from "../city/live.ts";
import {
  type Act,
  type Answered,
  arrived,
  asked_ms,
  type Box,
  type Care,
  happenedAt,
  isLocal,
  meaningOf,
  nextAct,
  type Refusal,
  refusedBy,
  type Step,
  serversId,
  stepNow,
} from "./acts.ts";

/** A request as it is sent, and what came back; `null` when nothing did. */
export interface Request {
  path: string;
  key: string;
  type: string;
  body: BodyInit;
  /** The only exercise that takes it; null: reality. */
  exercise: string | null;
}
export interface Answer {
  status: number;
  retryAfter: string | null;
  json: unknown;
}
export type Post = (request: Request) => Promise<Answer | null>;

/** Where the acts lie; `change` keeps what it makes of them before it settles. */
export interface Held {
  box(): Promise<Box>;
  change(by: (box: Box) => Box): Promise<void>;
  photo(key: string): Promise<Blob | undefined>;
  /** The number that the server gave to what this phone made; undefined: none that is known. */
  made?(of: string): Promise<string | undefined>;
  /** Remember it beyond the last act of it: what comes later may name it. */
  remember?(of: string, id: string): Promise<void>;
}

/** How a round ended: nothing left to send, wait so long and come back, or sign in first. */
export type Ended = { kind: "idle" } | { kind: "wait"; ms: number } | { kind: "who" };

/** Send what can be sent, in order; `attempt` counts the rounds that came to nothing. */
export async function send(held: Held, post: Post, attempt: number, now: () => number = Date.now): Promise<Ended> {
  for (let act = nextAct(await held.box()); act !== null; act = nextAct(await held.box())) {
    const request = await requestFor(held, act, now());
    if (request === null) {
      const lost = act;
      await held.change((box) => refusedBy(box, lost, LOST));
      continue;
    }
    const answer = await post(request);
    if (answer === null) return { kind: "wait", ms: waitMs(attempt) };
    const meaning = meaningOf(answer.status);
    if (meaning === "who") return { kind: "who" };
    if (meaning === "later") return { kind: "wait", ms: Math.max(waitMs(attempt), asked_ms(answer.retryAfter)) };
    const sent = act;
    const { id } = meaning === "done" ? toldBy(sent, answer.json) : {};
    if (id !== undefined && isLocal(sent.of)) await held.remember?.(sent.of, id);
    await held.change((box) =>
      meaning === "done" ? arrived(box, sent, toldBy(sent, answer.json)) : refusedBy(box, sent, refusalIn(answer)),
    );
  }
  return { kind: "idle" };
}

// The browser threw a photo away, or a step's report never came through: nothing that could be sent is left.
const LOST: Refusal = { status: 0, said: "", told: { cause: "grid_lost" } };
const part = encodeURIComponent;

async function requestFor(held: Held, act: Act, now: number): Promise<Request | null> {
  const { doing, key } = act;
  const exercise = act.exercise ?? null; // those of an earlier release have none
  const time = happenedAt(act, now);
  const json = (path: string, body: unknown): Request => ({
    path,
    key,
    type: "application/json",
    body: JSON.stringify(body),
    exercise,
  });
  if (doing.kind === "report") return json("/incidents", { ...doing.body, ...time });
  const box = await held.box();
  if ("fills" in doing) {
    const body = await careBody(held, box, act, doing);
    return body === null ? null : json(doing.path, { ...time, ...body });
  }
  const id = serversId(box, act.of);
  if (id === null) return null;
  if (doing.kind === "step") return json(`/incidents/${part(id)}/steps`, { ...stepBody(box, act, doing), ...time });
  const photo = await held.photo(key);
  const seen = doing.ofReport ? (box.cases[act.of]?.seen ?? null) : null;
  const path = `/incidents/${part(id)}/photos${seen === null ? "" : `?step=${seen}`}`;
  return photo === undefined ? null : { path, key, type: photo.type, body: photo, exercise };
}

function stepBody(box: Box, act: Act, doing: Step): Record<string, unknown> {
  const { expected, photos } = stepNow(box, { ...act, doing });
  return {
    step: doing.step,
    ...(expected === null ? {} : { expected }),
    ...doing.carries,
    ...(photos.length === 0 ? {} : { photos }),
  };
}

/** The body with the numbers of what it names; null where the one that it is about never came through. */
async function careBody(held: Held, box: Box, act: Act, doing: Care): Promise<Record<string, unknown> | null> {
  const seen = doing.kind === "needStep" ? (doing.expected ?? box.cases[act.of]?.seen ?? null) : null;
  const body: Record<string, unknown> = { ...doing.body, ...(seen === null ? {} : { expected: seen }) };
  for (const { field, of, many } of doing.fills) {
    const id = serversId(box, of) ?? (await held.made?.(of)) ?? null;
    if (id === null && !many) return null;
    if (id !== null) body[field] = many ? [...((body[field] as unknown[]) ?? []), numbered(field, id)] : id;
  }
  return body;
}

// Needs are numbered, cases have a number of so many digits.
const numbered = (field: string, id: string): string | number => (field === "needs" ? Number(id) : id);

/** What an answer told: the number of the case and of the step, or the name of a photo. */
function toldBy(act: Act, json: unknown): Answered {
  if (act.doing.kind === "photo") return { photo: (json as { id: string }).id };
  const { receipt } = json as { receipt: { incident?: string; need?: number; visit?: number; step?: number } };
  const id = String(receipt.incident ?? receipt.need ?? receipt.visit);
  return { id, ...(receipt.step === undefined ? {} : { seen: receipt.step }) };
}

function refusalIn({ status, json }: Answer): Refusal {
  const told = (json ?? {}) as Refusal["told"] & { detail?: string; title?: string };
  return { status, said: told.detail ?? told.title ?? "", told };
}

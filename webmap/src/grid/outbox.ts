/** What was done on this phone and has not arrived: kept, shown, and sent as soon as that is possible. */
import { authorization } from "../city/api.ts";
import { newKey } from "../city/items.ts";
import { type Act, type Box, type Doing, doneAgain, dropped, EMPTY, nextAct, within } from "./acts.ts";
import { flush } from "./flush.ts";
import type { Kept } from "./kept.ts";
import { CHANNEL } from "./rules.ts";

export type Sending = "idle" | "sending" | "waiting" | "who";

/** Something done on a case, under a key of its own. */
export interface Done {
  of: string;
  key: string;
  title: string;
  doing: Doing;
  photo?: Blob;
}

export interface Outbox {
  box(): Box;
  sending(): Sending;
  /** Keep what was done, all of it or nothing; settles when it is safe on this phone, and sends it. */
  add(done: readonly Done[]): Promise<void>;
  drop(act: Act): Promise<void>;
  /** Send a refused act once more, as of the step that was seen last. */
  again(act: Act, seen: number | null): Promise<void>;
  kick(): void;
  /** Call back when something was kept, sent or refused. */
  on(listener: () => void): void;
}

/** The outbox of an account; what is done now is done in this exercise (null: in reality). */
export async function openOutbox(kept: Kept, owner: string, exercise: string | null): Promise<Outbox> {
  let box: Box = EMPTY;
  let state: Sending = "idle";
  let attempt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listeners = new Set<() => void>();
  const others = new BroadcastChannel(CHANNEL);

  const reread = async (): Promise<void> => {
    box = await kept.box(owner);
    for (const listener of listeners) listener();
  };
  const told = (): void => {
    others.postMessage("changed");
    void reread();
  };
  const round = async (): Promise<void> => {
    if (state === "sending") return;
    clearTimeout(timer);
    state = "sending";
    await reread();
    const ended = await flush(kept, owner, { exercise, headers: authorization, attempt, told });
    attempt = ended.kind === "wait" ? attempt + 1 : 0;
    state = ended.kind === "wait" ? "waiting" : ended.kind;
    await reread();
    if (ended.kind === "wait") timer = setTimeout(() => void round(), ended.ms);
    // What was kept while the last answers came in.
    else if (ended.kind === "idle" && nextAct(within(box, exercise)) !== null) void round();
  };
  const change = async (by: (box: Box) => Box): Promise<void> => {
    const before = await kept.box(owner);
    await kept.become(before, by(before));
    told();
    kick();
  };
  const kick = (): void => {
    attempt = 0;
    void round();
  };

  others.onmessage = () => void reread();
  addEventListener("online", kick);
  // iOS has no background sync, and a phone that slept has missed its timers.
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && kick());
  await reread();
  return {
    box: () => box,
    sending: () => state,
    async add(done) {
      const at = new Date().toISOString();
      await kept.add(done.map(({ photo, ...act }) => ({ act: { ...act, owner, at, exercise, refused: null }, photo })));
      told();
      kick();
      await inBackground();
    },
    drop: (act) => change((before) => dropped(before, act)),
    again: (act, seen) => change((before) => doneAgain(before, act, { key: newKey(), seen })),
    kick,
    on: (listener) => void listeners.add(listener),
  };
}

/** Where browsers can, what waits is sent even when the page is closed before the network is back. */
async function inBackground(): Promise<void> {
  if (!navigator.serviceWorker?.controller) return;
  const registration = (await navigator.serviceWorker.ready) as ServiceWorkerRegistration & {
    sync?: { register(tag: string): Promise<void> };
  };
  await registration.sync?.register(CHANNEL).catch(() => undefined); // not allowed: the page sends it
}

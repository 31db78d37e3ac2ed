/** Keeps a topic's panels fresh: asked for every so often, sooner when their layers change, and never in a rush. */
import type { Topic } from "../city/topics.ts";
import { askingRound, type Data, layersOf } from "./reading.ts";

/** A panel's data as it was last heard of; `problem` tells why the last question had no answer. */
export interface Reading {
  data: Data | null;
  /** The server has nothing for this panel, or not for this page. */
  absent: boolean;
  problem: unknown;
  /** When the server was last asked with success, in ms since 1970; 0: never. */
  heardAt: number;
}

export interface Keeper {
  /** Records of a layer changed (null: of any). */
  changed(layer: string | null): void;
  /** Ask for everything now. */
  again(): void;
}

const AFTER_EVENTS_MS = 5_000;
const AFTER_FAILURE_MS = 10_000;
const PATIENCE_MS = 30_000;
/** Nobody has asked yet. */
export const UNHEARD: Reading = { data: null, absent: false, problem: null, heardAt: 0 };

/**
 * `told` is called with a panel's number and what is known of it, whenever that changes, until `over` aborts; `clock` says
 * what time it is in the city, where the screen's own may be wrong.
 */
export function keepPanels(
  topic: Topic,
  told: (index: number, reading: Reading) => void,
  over: AbortSignal,
  clock: () => number = Date.now,
): Keeper {
  const readings: Reading[] = topic.panels.map(() => UNHEARD);
  const everything = topic.panels.map((_, index) => index);
  const askedAt = topic.panels.map(() => 0);
  let wanted = new Set<number>();
  let asking = false;
  let timer = 0;
  let dueAt = 0;

  const read = async (index: number, answer: Promise<Data | null>): Promise<void> => {
    const before = readings[index] ?? UNHEARD;
    let reading: Reading;
    try {
      const data = await answer;
      reading = { data, absent: data === null, problem: null, heardAt: Date.now() };
    } catch (problem) {
      if (!(problem instanceof Error)) throw problem;
      reading = { ...before, problem };
    }
    if (over.aborted) return;
    readings[index] = reading;
    told(index, reading);
  };
  const ask = async (): Promise<void> => {
    // Events of one layer come more often than the others' time to be asked: who is due goes along.
    for (const index of everything) if (Date.now() - (askedAt[index] ?? 0) >= topic.refresh_s * 1000) wanted.add(index);
    const now = wanted;
    wanted = new Set();
    asking = true;
    for (const index of now) askedAt[index] = Date.now();
    // Who waits for ever for one answer never asks again.
    const round = askingRound(topic, AbortSignal.any([over, AbortSignal.timeout(PATIENCE_MS)]), clock);
    await Promise.all(
      [...now].map((index) => read(index, round.panel(topic.panels[index] as Topic["panels"][number]))),
    );
    asking = false;
    if (wanted.size > 0) within(AFTER_EVENTS_MS);
    else
      within(Math.min(topic.refresh_s * 1000, readings.some(({ problem }) => problem) ? AFTER_FAILURE_MS : Infinity));
  };
  const within = (ms: number): void => {
    const at = Date.now() + ms;
    if (over.aborted || asking || (timer !== 0 && dueAt <= at)) return;
    clearTimeout(timer);
    dueAt = at;
    timer = window.setTimeout(() => {
      timer = 0;
      if (wanted.size === 0) wanted = new Set(everything);
      // Nobody sees a hidden page: it asks when it comes back.
      if (document.visibilityState !== "hidden") void ask();
    }, ms);
  };
  const want = (indices: readonly number[], ms: number): void => {
    for (const index of indices) wanted.add(index);
    if (indices.length > 0) within(ms);
  };
  over.addEventListener("abort", () => clearTimeout(timer), { once: true });
  document.addEventListener("visibilitychange", () => document.visibilityState !== "hidden" && within(0), {
    signal: over,
  });
  want(everything, 0);

  return {
    changed(layer) {
      const touched = everything.filter((index) => {
        const { data } = readings[index] ?? UNHEARD;
        return data !== null && (layer === null || layersOf(data).includes(layer));
      });
      want(touched, AFTER_EVENTS_MS);
    },
    again: () => want(everything, 0),
  };
}

/** Whether what is known is so old that nobody should rely on it. */
export const isStale = ({ heardAt }: Reading, refresh_s: number, now: number): boolean =>
  heardAt > 0 && now - heardAt > 3 * refresh_s * 1000;

/** The worker's cases, as the server told of them last. */
import { Unreachable } from "../city/api.ts";
import { type Brief, type Case, incident, queue, STATES } from "../city/incidents.ts";
import type { Kept } from "./kept.ts";

const FACT = "cases";
const OPEN = STATES.filter((state) => !["closed", "rejected", "cancelled"].includes(state));
const MOST = 50;
const AT_ONCE = 4;
const REFRESH_MS = 45_000;

interface Known {
  at: string;
  list: Brief[];
  more: boolean;
  details: Record<string, Case>;
}

export interface Cases {
  list(): readonly Brief[];
  /** Whether the server has more than are listed. */
  more(): boolean;
  /** When the server told of them; null: never. */
  asOf(): string | null;
  /** Whether the server answered when it was last asked. */
  reached(): boolean;
  detail(id: string): Case | undefined;
  refresh(): Promise<void>;
  /** Ask for one case anew, whatever is known of it. */
  renew(id: string): Promise<Case>;
  on(listener: () => void): void;
}

export async function openCases(kept: Kept): Promise<Cases> {
  let known = (await kept.fact<Known | null>(FACT)) ?? null;
  let reached = navigator.onLine;
  let running: Promise<void> | null = null;
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const keep = async (now: Known): Promise<void> => {
    known = now;
    await kept.setFact(FACT, now);
    tell();
  };
  const ask = async (): Promise<void> => {
    const { incidents: list, next } = await queue({ queue: "mine", states: OPEN, limit: MOST });
    const before = known;
    const same = (brief: Brief): boolean =>
      JSON.stringify(before?.list.find(({ id }) => id === brief.id)) === JSON.stringify(brief);
    const details = Object.fromEntries(
      list.flatMap(({ id }) => (before?.details[id] === undefined ? [] : [[id, before.details[id] as Case]])),
    );
    await keep({ at: new Date().toISOString(), list, more: next !== null, details });
    const lacking = list.filter((brief) => details[brief.id] === undefined || !same(brief));
    for (let from = 0; from < lacking.length; from += AT_ONCE) {
      const some = await Promise.all(lacking.slice(from, from + AT_ONCE).map(({ id }) => incident(id)));
      await keep({ ...(known as Known), details: { ...known?.details, ...byId(some) } });
    }
  };
  const refresh = (): Promise<void> => {
    running ??= ask()
      .then(
        () => {
          reached = true;
        },
        (error: unknown) => {
          reached = !(error instanceof Unreachable);
        },
      )
      .finally(() => {
        running = null;
        tell();
      });
    return running;
  };
  const awake = (): void => {
    if (document.visibilityState === "visible") void refresh();
  };
  setInterval(awake, REFRESH_MS);
  document.addEventListener("visibilitychange", awake);
  addEventListener("online", awake);
  addEventListener("offline", () => {
    reached = false;
    tell();
  });
  return {
    list: () => known?.list ?? [],
    more: () => known?.more ?? false,
    asOf: () => known?.at ?? null,
    reached: () => reached && navigator.onLine,
    detail: (id) => known?.details[id],
    refresh,
    async renew(id) {
      const fresh = await incident(id);
      if (known?.list.some((each) => each.id === id))
        await keep({ ...known, details: { ...known.details, [id]: fresh } });
      return fresh;
    },
    on: (listener) => void listeners.add(listener),
  };
}

const byId = (cases: readonly Case[]): Record<string, Case> =>
  Object.fromEntries(cases.map((each) => [each.incident.id, each]));

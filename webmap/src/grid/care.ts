/** Needs and visits as the server told of them last, with the books and the providers that a form needs out of reach. */
import { type LonLat, Unreachable } from "../city/api.ts";
import {
  needs as askNeeds,
  visits as askVisits,
  type CareWords,
  careWords,
  type Need,
  type Provider,
  providersNear,
  publicMatters,
  type Visit,
} from "../city/care.ts";
import { may, type Who as Session } from "../city/session.ts";
import type { Kept } from "./kept.ts";
import type { Book } from "./matters.ts";

export const CARE_FACTS = ["care", "carePlace"] as const;
const [FACT, PLACE_FACT] = CARE_FACTS;
const REFRESH_MS = 60_000;
const PROVIDERS_OLD_MS = 6 * 3_600_000;

/** What whoever is signed in may do here. */
export interface Rights {
  needs: boolean;
  tell: boolean;
  take: boolean;
  visits: boolean;
  write: boolean;
  /** Whether cases are seen, and with them the book of matters. */
  cases: boolean;
}

export function rightsOf(who: Session): Rights {
  const [tell, take] = [may(who, "need.report"), may(who, "need.take")];
  const write = may(who, "visit.write");
  const cases = may(who, "incident.view");
  return { needs: tell || take, tell, take, visits: write || may(who, "visit.view"), write, cases };
}

interface Known {
  at: string;
  words: CareWords;
  needs: Need[];
  visits: Visit[];
  more: boolean;
  matters: Book;
}
interface Near {
  at: string;
  providers: Provider[];
}

export interface Care {
  rights: Rights;
  words(): CareWords | null;
  needs(): readonly Need[];
  visits(): readonly Visit[];
  more(): boolean;
  providers(): readonly Provider[];
  /** The book of matters, for those who do not have it with the layer. */
  matters(): Book;
  asOf(): string | null;
  reached(): boolean;
  refresh(): Promise<void>;
  on(listener: () => void): void;
}

export async function openCare(kept: Kept, rights: Rights, middle: LonLat | null): Promise<Care> {
  let known = (await kept.fact<Known | null>(FACT)) ?? null;
  let near = (await kept.fact<Near | null>(PLACE_FACT)) ?? null;
  let reached = navigator.onLine;
  let running: Promise<void> | null = null;
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const ask = async (): Promise<void> => {
    const [words, listed, visited, matters] = await Promise.all([
      careWords(),
      rights.needs ? askNeeds() : { needs: [], next: null },
      rights.visits ? askVisits() : { visits: [], next: null },
      rights.cases ? {} : publicMatters(),
    ]);
    known = {
      at: new Date().toISOString(),
      words,
      needs: listed.needs,
      visits: visited.visits,
      more: listed.next !== null,
      matters,
    };
    await kept.setFact(FACT, known);
    const old = near === null || Date.now() - Date.parse(near.at) > PROVIDERS_OLD_MS;
    if (!rights.needs || middle === null || !old) return;
    near = { at: known.at, providers: (await providersNear(middle)).providers };
    await kept.setFact(PLACE_FACT, near);
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
    if (document.visibilityState === "visible" && (rights.needs || rights.visits)) void refresh();
  };
  setInterval(awake, REFRESH_MS);
  addEventListener("online", awake);
  return {
    rights,
    words: () => known?.words ?? null,
    needs: () => known?.needs ?? [],
    visits: () => known?.visits ?? [],
    more: () => known?.more ?? false,
    providers: () => near?.providers ?? [],
    matters: () => known?.matters ?? {},
    asOf: () => known?.at ?? null,
    reached: () => reached && navigator.onLine,
    refresh: async () => {
      if (rights.needs || rights.visits) await refresh();
    },
    on: (listener) => void listeners.add(listener),
  };
}

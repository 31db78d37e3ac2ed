/** One round of sending, wherever it runs: in the page, or in the service worker when the page is closed. */
import { meant } from "../city/api.ts";
import { within } from "./acts.ts";
import type { Kept } from "./kept.ts";
import { type Answer, type Ended, type Held, type Request, send } from "./sending.ts";

const MADE = "made";
const MOST_MADE = 100;
interface Made {
  of: string;
  id: string;
}
const LOCK = "chengtu-grid-sending";
const OTHERS_MS = 2_000;
/** Who does not answer by then is out of reach. */
const PATIENCE_MS = 60_000;

/** A way to the server; with `headers` that say who asks, beside the cookie. */
export const posting =
  (headers: () => Record<string, string>) =>
  async ({ path, key, type, body, exercise }: Request): Promise<Answer | null> => {
    try {
      const response = await fetch(path, {
        method: "POST",
        headers: {
          ...headers(),
          ...meant(exercise),
          "Content-Type": type,
          "Idempotency-Key": key,
          "X-Sent-At": new Date().toISOString(),
        },
        body,
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const json = response.headers.get("content-type")?.includes("json") ? await response.json() : null;
      return { status: response.status, retryAfter: response.headers.get("Retry-After"), json };
    } catch {
      return null; // no network, or it broke off before the answer was complete
    }
  };

export interface Flushing {
  /** In which exercise the session is: what was done elsewhere waits until one is there again. */
  exercise: string | null;
  headers: () => Record<string, string>;
  attempt: number;
  told: () => void;
}

/** Send what `owner` did, unless another tab or the service worker is just doing so. */
export async function flush(kept: Kept, owner: string, { exercise, headers, attempt, told }: Flushing): Promise<Ended> {
  const held: Held = {
    box: async () => within(await kept.box(owner), exercise),
    photo: kept.photo,
    made: async (of) => (await kept.fact<Made[]>(MADE))?.find((each) => each.of === of)?.id,
    async remember(of, id) {
      const before = (await kept.fact<Made[]>(MADE)) ?? [];
      await kept.setFact(MADE, [{ of, id }, ...before.filter((each) => each.of !== of)].slice(0, MOST_MADE));
    },
    async change(by) {
      const before = await kept.box(owner);
      await kept.become(before, by(before));
      told();
    },
  };
  const round = (): Promise<Ended> => send(held, posting(headers), attempt);
  // Locks are for secure pages only; without them the server's memory of keys keeps two senders from doing a thing twice.
  if (!navigator.locks) return round();
  return navigator.locks.request(LOCK, { ifAvailable: true }, (lock) =>
    lock === null ? { kind: "wait" as const, ms: OTHERS_MS } : round(),
  );
}

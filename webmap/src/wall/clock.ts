/** The server's time on this screen, and whether a new release waits. */
import { health } from "../city/health.ts";

export interface Clock {
  /** The server's time, in ms since 1970. */
  now(): number;
  /** Whether the server has other pages than these. */
  outdated(): boolean;
  /** Ask the server now. */
  ask(): Promise<void>;
}

const EVERY_MS = 60_000;
/** Less is within what the answer's way and whole seconds blur. */
const BLUR_MS = 2_000;

/** `turned` is told after each question whether the server answered. */
export function serverClock(turned: (answers: boolean) => void): Clock {
  let ahead_ms = 0;
  let first = "";
  let latest = "";
  const ask = async (): Promise<void> => {
    try {
      const found = await health();
      ahead_ms = Math.abs(found.ahead_ms) > BLUR_MS ? found.ahead_ms : 0;
      latest = found.version;
      if (first === "") first = latest;
      turned(true);
    } catch {
      turned(false);
    }
  };
  setInterval(() => void ask(), EVERY_MS);
  return { now: () => Date.now() + ahead_ms, outdated: () => latest !== first, ask };
}

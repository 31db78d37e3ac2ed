/** The stream of what changes in the city, held open through lost connections, sleeping phones and restarts. */
import { authorization, refusal } from "./api.ts";
import { type Message, messageReader } from "./events.ts";
import { heard as called } from "./notices.ts";

/** `off`: the server has no stream; `waiting`: nothing comes, and the picture is that of `since`. */
export type LiveState = { kind: "off" } | { kind: "connecting" } | { kind: "live" } | { kind: "waiting"; since: Date };

export interface Listener {
  /** One event; `resumed` tells whether the stream went on from an earlier one, with nothing missed between. */
  said(message: Message, resumed: boolean): void;
  turned(state: LiveState): void;
}

// The server says something at least every 15 s: two of these and some more missed, and the line is dead.
const QUIET_MS = 40_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** How long to wait before the nth attempt: twice as long each time, and never all clients at once. */
export function waitMs(attempt: number, chance: number = Math.random()): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  return longest * (0.5 + chance / 2);
}

/** Listen until `over` aborts. */
export async function listen(path: string, { said, turned }: Listener, over: AbortSignal): Promise<void> {
  let last = "";
  let heard = new Date();
  let attempt = 0;
  let stream = new AbortController();
  let wake = (): void => undefined;

  const follow = async (): Promise<void> => {
    stream = new AbortController();
    let quiet = setTimeout(() => stream.abort(), QUIET_MS);
    try {
      const resumed = last !== "";
      const reader = await open(path, last, stream.signal);
      const read = messageReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        clearTimeout(quiet);
        quiet = setTimeout(() => stream.abort(), QUIET_MS);
        heard = new Date();
        attempt = 0;
        turned({ kind: "live" });
        for (const message of read(part.value)) {
          if (message.id !== "") last = message.id;
          said(message, resumed);
          called(message.event);
        }
      }
    } finally {
      clearTimeout(quiet);
      stream.abort();
    }
  };
  const pause = (): Promise<void> =>
    new Promise((settle) => {
      wake = settle;
      setTimeout(settle, waitMs(attempt));
    });

  // A phone that slept may hold a line that nobody is at the other end of.
  const awake = (): void => {
    if (document.visibilityState === "hidden") return;
    if (Date.now() - heard.getTime() > QUIET_MS / 2) stream.abort();
    wake();
  };
  const asleep = (): void => stream.abort();
  const end = (): void => {
    stream.abort();
    wake();
  };
  addEventListener("online", awake, { signal: over });
  addEventListener("pageshow", awake, { signal: over });
  for (const lost of ["offline", "pagehide"]) addEventListener(lost, asleep, { signal: over });
  document.addEventListener("visibilitychange", awake, { signal: over });
  over.addEventListener("abort", end, { once: true });

  turned({ kind: "connecting" });
  while (!over.aborted) {
    try {
      await follow();
    } catch (error) {
      if (error instanceof NoStream) {
        turned({ kind: "off" });
        return;
      }
    }
    if (over.aborted) return;
    turned({ kind: "waiting", since: heard });
    await pause();
    attempt += 1;
  }
}

/** The server will not give this stream, however often it is asked. */
class NoStream extends Error {}

async function open(path: string, last: string, signal: AbortSignal): Promise<ReadableStreamDefaultReader<string>> {
  const resume: Record<string, string> = last === "" ? {} : { "Last-Event-ID": last };
  const headers = { Accept: "text/event-stream", ...authorization(), ...resume };
  const response = await fetch(path, { headers, signal, cache: "no-store" });
  const forGood = response.status >= 400 && response.status < 500 && ![408, 425, 429].includes(response.status);
  if (response.status === 409) await refusal(response); // which tells the page that it is elsewhere
  if (forGood) throw new NoStream(String(response.status));
  if (!response.ok || response.body === null) throw new Error(String(response.status));
  return response.body.pipeThrough(new TextDecoderStream()).getReader();
}

/** Which of the changed records a wall goes to: one by one, none twice, and nothing at all when a delivery pours in. */

/** A record that changed, as `/live` tells it. */
export interface Change {
  layer: string;
  id: string;
  op: string;
  at: string;
  lon?: number;
  lat?: number;
}

export interface Gate {
  /** A record changed at this moment (ms). */
  heard(change: Change, now: number): void;
  /** It could not be looked at: it is due again a little later, unless it changed meanwhile. */
  again(change: Change, now: number): void;
  /** Those that may be looked at now: each once, and none while many change at once. */
  due(now: number): Change[];
  /** It was shown: not again for a while. */
  shown(change: Change, now: number): void;
}

export const SETTLE_MS = 1_500;
const WINDOW_MS = 10_000;
const BURST = 20;
const CALM_MS = 30_000;
const AGAIN_MS = 3_600_000;
const MOST_REMEMBERED = 500;
const OLDEST_MS = 600_000;

/** A gate for each layer: what pours into one of them does not hide what happens in another. */
export function eventGates(): Gate {
  const gates = new Map<string, Gate>();
  const of = ({ layer }: Change): Gate => {
    const gate = gates.get(layer) ?? eventGate();
    gates.set(layer, gate);
    return gate;
  };
  return {
    heard: (change, now) => of(change).heard(change, now),
    again: (change, now) => of(change).again(change, now),
    due: (now) => [...gates.values()].flatMap((gate) => gate.due(now)),
    shown: (change, now) => of(change).shown(change, now),
  };
}

/** More than twenty changes in ten seconds are a delivery: what waits is dropped, and so is all until it is calm. */
export function eventGate(): Gate {
  let recent: number[] = [];
  let mutedUntil = 0;
  let waiting = new Map<string, { change: Change; at: number }>();
  const seen = new Map<string, number>();
  const key = ({ layer, id }: Change) => `${layer}/${id}`;

  return {
    heard(change, now) {
      recent = recent.filter((at) => now - at < WINDOW_MS);
      if (recent.length <= BURST) recent.push(now);
      if (recent.length > BURST) {
        mutedUntil = now + CALM_MS;
        waiting.clear();
      }
      const gone = change.op === "delete" || change.lon === undefined;
      if (now < mutedUntil || gone || now - (seen.get(key(change)) ?? -AGAIN_MS) < AGAIN_MS) return;
      waiting.set(key(change), { change, at: now });
    },
    again(change, now) {
      if (now >= mutedUntil && !waiting.has(key(change))) waiting.set(key(change), { change, at: now });
    },
    due(now) {
      const ripe = [...waiting.values()].filter(({ at }) => now - at >= SETTLE_MS);
      waiting = new Map([...waiting].filter(([, { at }]) => now - at < SETTLE_MS));
      return ripe.map(({ change }) => change);
    },
    shown(change, now) {
      seen.delete(key(change));
      seen.set(key(change), now);
      const [oldest] = seen.keys();
      if (seen.size > MOST_REMEMBERED && oldest !== undefined) seen.delete(oldest);
    },
  };
}

/** Whether a change is too long ago to be news, as after a lost connection; by the server's clock. */
export const isOld = ({ at }: Change, now: number): boolean => now - Date.parse(at) > OLDEST_MS;

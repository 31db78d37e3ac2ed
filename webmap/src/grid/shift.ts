/** The shift: only while it lasts the phone reads its position, which stays on the phone. */
import type { LonLat } from "../city/api.ts";
import type { Kept } from "./kept.ts";

/** Nobody works longer: a shift that was not ended is over. */
export const LONGEST_H = 12;
const FACT = "shift";

export interface Position {
  at: LonLat;
  within_m: number;
}

export type Trouble = "denied" | "failed";

export interface Shift {
  /** When it began; null off shift. */
  since(): Date | null;
  position(): Position | null;
  trouble(): Trouble | null;
  begin(): Promise<void>;
  end(): Promise<void>;
  on(listener: () => void): void;
}

/** Whether a shift that began then still lasts. */
export const lasts = (since: Date, now: Date): boolean =>
  now.getTime() >= since.getTime() && now.getTime() - since.getTime() < LONGEST_H * 3_600_000;

export async function openShift(kept: Kept): Promise<Shift> {
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  let since: Date | null = null;
  let position: Position | null = null;
  let trouble: Trouble | null = null;
  let watch = 0;
  let over: ReturnType<typeof setTimeout> | undefined;

  const follow = (from: Date): void => {
    since = from;
    watch = navigator.geolocation.watchPosition(
      ({ coords }) => {
        position = { at: [coords.longitude, coords.latitude], within_m: Math.round(coords.accuracy) };
        trouble = null;
        tell();
      },
      ({ code, PERMISSION_DENIED }) => {
        trouble = code === PERMISSION_DENIED ? "denied" : "failed";
        tell();
      },
      { enableHighAccuracy: true, maximumAge: 5_000, timeout: 30_000 },
    );
    over = setTimeout(() => void end(), from.getTime() + LONGEST_H * 3_600_000 - Date.now());
    tell();
  };
  const end = async (): Promise<void> => {
    navigator.geolocation.clearWatch(watch);
    clearTimeout(over);
    [since, position, trouble] = [null, null, null];
    await kept.setFact(FACT, null);
    tell();
  };

  const begun = await kept.fact<string | null>(FACT);
  if (begun && lasts(new Date(begun), new Date())) follow(new Date(begun));
  return {
    since: () => since,
    position: () => position,
    trouble: () => trouble,
    async begin() {
      const now = new Date();
      await kept.setFact(FACT, now.toISOString());
      follow(now);
    },
    end,
    on: (listener) => void listeners.add(listener),
  };
}

/** Which needs a list of the desk holds, and whether one is late: without a page. */
import type { Need, NeedsAsked } from "../city/care.ts";

/** What goes on (open and arranged), or one of the states. */
export const NEED_STATES = ["going", "open", "arranged", "done", "withdrawn"] as const;
export type NeedState = (typeof NEED_STATES)[number];

export interface Sought {
  state: NeedState;
  kind: string;
  /** The beginning of a code, or a grid; empty: everywhere. */
  area: string;
}

/** What goes on stands in the order in which it came; of what is over the newest first. */
export function asked({ state, kind, area }: Sought): NeedsAsked {
  const states: NeedsAsked["states"] = state === "going" ? ["open", "arranged"] : [state];
  return { states, kind, area, newest: state === "done" || state === "withdrawn" };
}

/** Whether the wished time of a need is over, and nobody has arranged it. */
export const isLate = ({ state, wish_at }: Pick<Need, "state" | "wish_at">, now: number): boolean =>
  state === "open" && wish_at !== null && Date.parse(wish_at) < now;

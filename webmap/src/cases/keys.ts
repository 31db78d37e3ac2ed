/** The keyboard of the desk: one table of keys, of which both what is heard and what is shown are made. */
import type { Word } from "../words/i18n.ts";

export type Act =
  | "down"
  | "up"
  | "select"
  | "intake"
  | "filter"
  | "note"
  | "fresh"
  | "help"
  | "away"
  | `tab${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`;

interface Key {
  /** As `KeyboardEvent.key` tells them. */
  keys: readonly string[];
  act: Act;
}

const KEYS: readonly Key[] = [
  { keys: ["j", "ArrowDown"], act: "down" },
  { keys: ["k", "ArrowUp"], act: "up" },
  { keys: ["x"], act: "select" },
  { keys: ["c"], act: "intake" },
  { keys: ["/"], act: "filter" },
  { keys: ["n"], act: "note" },
  { keys: ["."], act: "fresh" },
  { keys: ["?", "？"], act: "help" },
  { keys: ["Escape"], act: "away" },
  ...([1, 2, 3, 4, 5, 6, 7, 8] as const).map((n): Key => ({ keys: [String(n)], act: `tab${n}` })),
];

/** The letters that take steps; steps without one are taken with the pointer or by Tab. */
export const STEP_KEYS: Readonly<Record<string, string>> = {
  accept: "a",
  verify: "v",
  register: "r",
  dispatch: "d",
  sign: "s",
  dispose: "p",
  feedback: "f",
  send_back: "b",
  check: "h",
  rework: "w",
  close: "l",
  urge: "u",
  supervise: "o",
  escalate: "e",
  assign: "t",
};
const STEPS = new Map(Object.entries(STEP_KEYS).map(([step, key]) => [key, step]));

/** `fill`: with what may be said to it. */
export type Pressed = { act: Act } | { step: string; fill: boolean } | null;

/** What a key means where nobody is writing; with Ctrl, Alt or Meta it is the browser's. */
export function pressed(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "altKey" | "metaKey" | "shiftKey">): Pressed {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  const own = KEYS.find(({ keys }) => keys.includes(event.key));
  if (own !== undefined) return { act: own.act };
  const step = STEPS.get(event.key.toLowerCase());
  return step === undefined ? null : { step, fill: event.shiftKey };
}

/** The lines that the help shows: keys, and the word of what they do. */
export const HELP: readonly { keys: readonly string[]; word: Word }[] = [
  { keys: ["J", "↓"], word: "caseKey_down" },
  { keys: ["K", "↑"], word: "caseKey_up" },
  { keys: ["Enter"], word: "caseKey_open" },
  { keys: ["X"], word: "caseKey_select" },
  { keys: ["C"], word: "caseKey_intake" },
  { keys: ["/"], word: "caseKey_filter" },
  { keys: ["N"], word: "caseKey_note" },
  { keys: ["⇧", "A…Z"], word: "caseKey_with" },
  { keys: ["."], word: "caseKey_fresh" },
  { keys: ["1", "…", "8"], word: "caseKey_tab" },
  { keys: ["Esc"], word: "caseKey_away" },
  { keys: ["?"], word: "caseKey_help" },
];

/** What other letters mean while people are called back. */
export const CALL_KEYS: readonly { keys: readonly string[]; word: Word }[] = [
  { keys: ["P"], word: "answerKey_number" },
  { keys: ["Y"], word: "answerKey_yes" },
  { keys: ["N"], word: "answerKey_no" },
  { keys: ["Enter"], word: "answerKey_save" },
];

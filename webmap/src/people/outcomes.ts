/** What a sending came to, and why one was not taken: read off what the server records, without a page. */
import type { NoticeSent, Sent, StepSent } from "../city/channels.ts";
import type { Word } from "../words/i18n.ts";

export type Outcome = "taken" | "waiting" | "retry" | "dead" | "ended" | "drill" | "paused";

const ENDED = "ended";

/** Whether it was taken, waits, is tried again, was given up, or was only recorded. */
export function outcomeOf(one: Sent | NoticeSent | StepSent): Outcome {
  if (one.sent_at !== null) return "taken";
  if ("recorded_at" in one && one.recorded_at !== null) return one.scenario === null ? "paused" : "drill";
  if (one.dead_at !== null) return one.error === ENDED ? "ended" : "dead";
  return one.error === null ? "waiting" : "retry";
}

const ANSWERED = /^answered (\d+)$/;
const CODE = /^errcode (.+)$/;
const SAID: Readonly<Record<string, Word>> = {
  "the name has no address": "sentWhy_name",
  "the name leads to an address that is not to be called": "sentWhy_forbidden",
  "no mail server is set": "sentWhy_mail",
  "its address does not open: the key is missing": "sentWhy_key",
  TimeoutError: "sentWhy_timeout",
  ConnectionRefusedError: "sentWhy_connect",
  gaierror: "sentWhy_name",
};

/** The word of a recorded reason, with what it tells; a reason that the pages do not know has none. */
export function reasonOf(error: string | null): { name: Word | null; n: string } {
  const answered = ANSWERED.exec(error ?? "")?.[1];
  if (answered !== undefined) return { name: "sentWhy_answered", n: answered };
  const code = CODE.exec(error ?? "")?.[1];
  if (code !== undefined) return { name: "sentWhy_errcode", n: code };
  if (/Timeout$/.test(error ?? "")) return { name: "sentWhy_timeout", n: "" };
  if (/^(Connect|Remote|Read|Write)\w*Error$/.test(error ?? "")) return { name: "sentWhy_connect", n: "" };
  return { name: SAID[error ?? ""] ?? null, n: "" };
}

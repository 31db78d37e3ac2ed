/** Whether the server answers, by which clock, and of which release its pages are. */
import { Unreachable } from "./api.ts";

export interface Health {
  version: string;
  /** How many ms the server's clock is ahead of this computer's. */
  ahead_ms: number;
}

const PATIENCE_MS = 10_000;
// The header Date is in whole seconds, of which half is missing on average.
const HALF_SECOND_MS = 500;

export async function health(): Promise<Health> {
  const asked = Date.now();
  let response: Response;
  let body: { version?: string };
  try {
    response = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    body = response.ok ? ((await response.json()) as typeof body) : {};
  } catch (cause) {
    throw new Unreachable("/healthz", { cause });
  }
  if (!response.ok) throw new Unreachable("/healthz");
  const told = Date.parse(response.headers.get("date") ?? "");
  const ahead_ms = Number.isNaN(told) ? 0 : told + HALF_SECOND_MS - (asked + Date.now()) / 2;
  return { version: body.version ?? "", ahead_ms };
}

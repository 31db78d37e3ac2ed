/** From a report to a department: filed, and taken as far as the server lets this desk go. */

import type { Report } from "../city/incidents.ts";
import * as api from "../city/incidents.ts";
import { newKey } from "../city/items.ts";
import type { Title } from "../words/i18n.ts";

const ONWARD = ["accept", "register", "dispatch"] as const;

/** File a report; returns the number of its case. */
export const file = async (report: Report, key: string): Promise<string> => (await api.report(report, key)).incident;

/** Take a new case on, or merge it into another; returns why it stopped before a department had it, or null. */
export async function sendOn(id: string, { on, into }: { on: boolean; into: string | null }): Promise<Title | null> {
  if (into !== null) return take(id, "merge", { into });
  if (!on) return null;
  for (const step of ONWARD) {
    const stopped = await take(id, step, {});
    if (stopped !== null) return stopped;
  }
  return null;
}

async function take(id: string, step: string, carries: api.Carries): Promise<Title | null> {
  const found = await api.incident(id);
  const offer = found.offers.find((each) => each.step === step);
  if (offer === undefined) return null; // its state is past that step already
  if (!offer.allowed) return offer.why ?? offer.title;
  const expected = found.steps.reduce((most, each) => Math.max(most, each.id), 0);
  await api.takeStep(id, step, { expected, carries, key: newKey() });
  return null;
}

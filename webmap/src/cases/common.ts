/** What several cases have in common. */
import type { Offer } from "../city/incidents.ts";

/** The steps that may be taken with each of them; what needs photos is for single cases. */
export function inCommon(offers: readonly (readonly Offer[])[]): Offer[] {
  const [first = [], ...rest] = offers;
  const may = (of: readonly Offer[], step: string): boolean => of.some((each) => each.step === step && each.allowed);
  return first.filter(
    (offer) => offer.allowed && !offer.needs.includes("photo") && rest.every((each) => may(each, offer.step)),
  );
}

/** On a narrow screen question, map and answer stand one below the other: who goes from one to another is brought there. */

/** As in plan.css. */
const stacked = matchMedia("(max-width: 900px)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Bring a part of the page to the top of a narrow screen; nothing where all parts are in sight. */
export function comeTo(part: Element | null): void {
  if (!stacked.matches) return;
  part?.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "start" });
}

/** The same, with the focus on a heading there, so that who hears the page is there, too. */
export function goOnAt(part: Element | null, heading: HTMLElement | null): void {
  if (!stacked.matches || heading === null) return;
  if (!heading.hasAttribute("tabindex")) heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  comeTo(part);
}

/** Back to the question: to the one that was taken up, else to the form. */
export function goToQuestion(): void {
  const part = document.querySelector(".saved .current, .plan .form");
  goOnAt(part, part?.querySelector<HTMLElement>("h2, h3") ?? null);
}

/** The order of layers, changed by dragging a grip or with the arrow keys on it. */
import { h } from "../page/dom.ts";

export interface Ordering {
  /** The list's entries as they stand now, from the top. */
  entries(): HTMLElement[];
  /** An entry goes to a place, counted from the top without it. */
  move(entry: HTMLElement, to: number): void;
}

/** Names from the bottom up after one of them went to a place among those that are listed, counted from the top. */
export function moved(names: readonly string[], name: string, to: number, listed: (name: string) => boolean): string[] {
  const downwards = [...names].reverse().filter((each) => each !== name);
  // A link may name what is not there, or not for everyone: that has no place in the list.
  const next = downwards.filter(listed)[to];
  downwards.splice(next === undefined ? downwards.length : downwards.indexOf(next), 0, name);
  return downwards.reverse();
}

/** A layer that is switched on comes where the catalogue has it among those that are shown; the others stay in their order. */
export function put(shown: readonly string[], name: string, catalogue: readonly { name: string }[]): string[] {
  if (shown.includes(name)) return [...shown];
  const rank = (each: string) => catalogue.findIndex((layer) => layer.name === each);
  const above = shown.findIndex((each) => rank(each) > rank(name));
  return above === -1 ? [...shown, name] : [...shown.slice(0, above), name, ...shown.slice(above)];
}

/** The grip of an entry; `label` says what it moves. */
export function grip(entry: HTMLElement, label: string, ordering: Ordering): HTMLButtonElement {
  const button = h("button", { type: "button", class: "grip", title: label, aria: { label } });
  const place = () => ordering.entries().indexOf(entry);
  button.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1, Home: Number.NEGATIVE_INFINITY, End: Number.POSITIVE_INFINITY }[
      event.key
    ];
    if (step === undefined) return;
    event.preventDefault();
    ordering.move(entry, Math.max(0, Math.min(place() + step, ordering.entries().length - 1)));
    button.focus();
  });
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    button.focus();
    button.setPointerCapture(event.pointerId);
    drag(entry, button, event.clientY, ordering);
  });
  return button;
}

/** Until the pointer goes up, the entry follows it and the others make room. */
function drag(entry: HTMLElement, button: HTMLElement, startY: number, ordering: Ordering): void {
  const boxes = ordering.entries().map((each) => each.getBoundingClientRect());
  const from = ordering.entries().indexOf(entry);
  const own = boxes[from];
  if (own === undefined) return;
  let to = from;
  const follow = ({ clientY }: PointerEvent) => {
    const moved = clientY - startY;
    const middle = own.top + own.height / 2 + moved;
    to = boxes.filter((box, at) => at !== from && box.top + box.height / 2 < middle).length;
    entry.style.setProperty("translate", `0 ${moved}px`);
    for (const [at, other] of ordering.entries().entries()) {
      if (at === from) continue;
      const shift = at > from && at <= to ? -own.height : at < from && at >= to ? own.height : 0;
      other.style.setProperty("translate", `0 ${shift}px`);
    }
  };
  const end = (event: PointerEvent) => {
    button.removeEventListener("pointermove", follow);
    for (const done of ["pointerup", "pointercancel"] as const) button.removeEventListener(done, end);
    for (const each of ordering.entries()) each.style.removeProperty("translate");
    entry.classList.remove("dragged");
    if (event.type === "pointerup" && to !== from) ordering.move(entry, to);
    button.focus();
  };
  entry.classList.add("dragged");
  button.addEventListener("pointermove", follow);
  for (const done of ["pointerup", "pointercancel"] as const) button.addEventListener(done, end);
}

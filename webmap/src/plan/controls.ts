/** Form controls with their labels. */
import { h } from "../page/dom.ts";

/** A part of the question as it is now: values change without the form being drawn anew around them. */
export interface Held<T> {
  now(): T;
  put(next: T, how?: How): void;
}

/** Whether it is another question, the form must be drawn anew, or only a value is another. */
export type How = "new" | "form" | "value";

export function held<T>(first: T, set: (next: T, how?: How) => void): Held<T> {
  let now = first;
  return {
    now: () => now,
    put(next, how) {
      now = next;
      set(next, how);
    },
  };
}

type Child = Node | string | null | false;

/** A label above its control. */
export function labelled(label: string, control: HTMLElement, note?: string): HTMLElement {
  return h(
    "label",
    { class: "field" },
    h("span", { class: "field-name" }, label),
    control,
    note ? h("small", {}, note) : null,
  );
}

/** A choice among words; `chosen` undefined offers the hint first. */
export function choice<T extends string>(
  id: string,
  options: readonly (readonly [value: T, title: string])[],
  chosen: T | undefined,
  set: (value: T) => void,
  hint?: string,
): HTMLSelectElement {
  const control = h("select", { id, class: "choice" });
  if (chosen === undefined && hint !== undefined)
    control.append(h("option", { value: "", selected: true, disabled: true }, hint));
  for (const [value, title] of options) control.append(h("option", { value, selected: value === chosen }, title));
  control.onchange = () => set(control.value as T);
  return control;
}

/** A number; what is no number within the bounds is told as undefined. */
export function numeral(
  id: string,
  value: number | undefined,
  { min, max, step = "any" }: { min: number; max: number; step?: string },
  set: (value: number | undefined) => void,
): HTMLInputElement {
  const control = h("input", {
    id,
    type: "number",
    class: "numeral",
    min: String(min),
    max: String(max),
    step,
    value: value === undefined ? "" : String(value),
  });
  control.oninput = () => {
    const given = control.value === "" ? Number.NaN : Number(control.value);
    set(given >= min && given <= max ? given : undefined);
  };
  return control;
}

export function button(
  title: string,
  onclick: () => void,
  props: { class?: string; id?: string; disabled?: boolean } = {},
): HTMLButtonElement {
  return h("button", { type: "button", onclick, ...props }, title);
}

/** A step of the form; a control that stands in it without a label of its own is called as the step. */
export function section(title: string, ...children: Child[]): HTMLElement {
  for (const child of children) {
    const bare = child instanceof HTMLSelectElement || child instanceof HTMLInputElement;
    if (bare && !child.hasAttribute("aria-label")) child.setAttribute("aria-label", title);
  }
  return h("section", { class: "step" }, h("h3", {}, title), ...children);
}

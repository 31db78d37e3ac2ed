/** One of a few, side by side. */
import { h } from "../page/dom.ts";

/** Buttons of which one is pressed; `chosen` is told of every press, also of the pressed one. */
export function choice<T extends string>(
  label: string,
  options: readonly { value: T; text: string }[],
  initial: T | null,
  chosen: (value: T) => void,
): { element: HTMLElement; press(value: T | null): void } {
  const buttons = options.map(({ value, text }) => {
    const button = h("button", { type: "button", data: { choice: value } }, text);
    button.onclick = () => {
      press(value);
      chosen(value);
    };
    return button;
  });
  const press = (value: T | null) => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.choice === value));
  };
  press(initial);
  return { element: h("div", { class: "choice-row", role: "group", aria: { label } }, ...buttons), press };
}

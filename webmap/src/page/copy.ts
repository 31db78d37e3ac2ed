/** Copy to the clipboard, and say so on the button. */
import type { App } from "./app.ts";
import { iconButton } from "./dom.ts";

export function copyButton(app: App, text: string): HTMLElement {
  const button = iconButton("copy", app.t("copy"), () => void copied(app, button, text));
  return button;
}

export async function copied(app: App, button: HTMLElement, text: string): Promise<void> {
  await write(text);
  button.dataset.done = app.t("copied");
  setTimeout(() => delete button.dataset.done, 1500);
}

// The clipboard proper is for secure pages only, and a closed network often serves plain HTTP.
async function write(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** Elements in one expression, and the page's icons. */

type Child = Node | string | null | false | undefined;
type Props<K extends keyof HTMLElementTagNameMap> = {
  [P in keyof HTMLElementTagNameMap[K]]?: unknown;
} & { class?: string; data?: Record<string, string>; aria?: Record<string, string>; role?: string };

/** An element with properties, `data-` and `aria-` attributes and children; null and false children are left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props<K> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  const { class: className, data, aria, role, ...rest } = props;
  if (className) element.className = className;
  if (role) element.setAttribute("role", role);
  Object.assign(element.dataset, data);
  for (const [name, value] of Object.entries(aria ?? {})) element.setAttribute(`aria-${name}`, value);
  Object.assign(element, rest);
  element.append(...children.filter((child): child is Node | string => child instanceof Node || Boolean(child)));
  return element;
}

const ICONS = {
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4 14 14",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  home: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  link: "M7 4.5 8.7 2.8a3.1 3.1 0 0 1 4.4 4.4L11.4 9M9 11.5l-1.7 1.7a3.1 3.1 0 0 1-4.4-4.4L4.6 7M6 10l4-4",
  moon: "M13 9.6A5.5 5.5 0 1 1 6.4 3a4.4 4.4 0 0 0 6.6 6.6z",
  sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.1 1.1M11.9 11.9 13 13M3 13l1.1-1.1M11.9 4.1 13 3",
  key: "M10.5 2.5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8.2 7.8 2.5 13.5M4.5 11.5l2 2",
  qr: "M2.5 2.5h4v4h-4zM9.5 2.5h4v4h-4zM2.5 9.5h4v4h-4zM9.5 9.5h1.5v1.5M13.5 9.5v4h-4v-1.5M13.5 11.5h-1.5",
  list: "M2.5 4h1M6 4h7.5M2.5 8h1M6 8h7.5M2.5 12h1M6 12h7.5",
  pencil: "M10.8 2.7l2.5 2.5-8 8-3 .5.5-3zM9.3 4.2l2.5 2.5",
  ruler: "M1.8 10.6 10.6 1.8l3.6 3.6-8.8 8.8zM4.2 8.2l1.5 1.5M6.4 6l1.5 1.5M8.6 3.8l1.5 1.5",
  share:
    "M12 2a1.8 1.8 0 1 0 0 3.6A1.8 1.8 0 0 0 12 2zM4 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6zM12 10.4a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6zM5.6 7.1l4.8-2.4M5.6 8.9l4.8 2.4",
  print: "M4.5 6V2h7v4M4.5 11.5h-2V6h11v5.5h-2M4.5 9.5h7V14h-7z",
  clock: "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8zM8 4.5V8l2.4 1.6",
  undo: "M5.5 3 2.5 6l3 3M2.5 6h7a3.7 3.7 0 0 1 0 7.4H6",
  trash: "M2.5 4.2h11M6 4V2.2h4V4M4 4.2l.6 9.6h6.8l.6-9.6M6.6 6.8v4.4M9.4 6.8v4.4",
  download: "M8 2v8.2M4.6 6.9 8 10.3l3.4-3.4M2.5 13.6h11",
  play: "M4.5 2.8v10.4L13 8z",
  pause: "M5 3v10M11 3v10",
  topic: "M8 2.5 14 5.5 8 8.5 2 5.5zM2.5 8.3 8 11l5.5-2.7M2.5 11 8 13.7l5.5-2.7",
  target: "M8 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM8 1v3M8 12v3M1 8h3M12 8h3",
  down: "M4 6l4 4 4-4",
  funnel: "M2.5 3h11L9.5 8v4.5l-3 1.5V8z",
  camera: "M1.8 4.5h8.4v7H1.8zM10.2 7.2l4-2.2v6l-4-2.2",
  right: "M6 4l4 4-4 4",
  photo: "M1.8 4.8h3L6 3h4l1.2 1.8h3v8H1.8zM8 6.4a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8z",
  send: "M14 2 2 7l5 2 2 5zM14 2 7 9",
  person: "M8 2a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM2.5 14c.5-3 2.7-4.5 5.5-4.5s5 1.5 5.5 4.5",
  drill: "M2.5 5.5h5l5-3v11l-5-3h-5zM4.5 10.5v3h2v-3M14 6.5v3",
  bell: "M8 1.6v1.2M3.6 11.4c.9-1 .9-2.2.9-3.9a3.5 3.5 0 0 1 7 0c0 1.7 0 2.9.9 3.9zM6.6 13.8h2.8",
  next: "M3.5 3v10L10 8zM12.5 3v10",
  previous: "M12.5 3v10L6 8zM3.5 3v10",
  expand: "M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9",
} as const;
export type Icon = keyof typeof ICONS;

/** A 16-pixel line icon that takes the colour of its text; it says nothing to screen readers. */
export function icon(name: Icon): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button that shows only an icon; its label is both its tooltip and what screen readers say. */
export function iconButton(name: Icon, label: string, onclick: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: "icon-button", title: label, aria: { label }, onclick }, icon(name));
}

/** Replace what an element holds. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(
    ...children.filter((child): child is Node | string => child instanceof Node || Boolean(child)),
  );
}

/** Do what fills an element anew; what had the focus in it (told apart by `data-key`) has it again. */
export function keepingFocus(element: HTMLElement, refill: () => void): void {
  const active = document.activeElement;
  const key = active instanceof HTMLElement && element.contains(active) ? active.dataset.key : undefined;
  refill();
  if (key !== undefined)
    element.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

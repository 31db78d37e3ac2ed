/** The view as a link: everything that is shown is in it. */
import { encode } from "uqr";
import type { App } from "../page/app.ts";
import { copied } from "../page/copy.ts";
import { fill, h } from "../page/dom.ts";
import { IN_URL } from "../page/state.ts";
import type { Board } from "./board.ts";

/** Phones still read this many characters from a screen. */
const MOST_IN_QR = 1200;
const SVG = "http://www.w3.org/2000/svg";

export function shareTool(app: App, board: Board, body: HTMLElement): () => void {
  const address = h("input", { type: "text", readOnly: true, aria: { label: app.t("shareLink") } });
  const button = h("button", { type: "button", class: "primary" }, app.t("shareCopy"));
  button.onclick = () => void copied(app, button, address.value);
  address.onfocus = () => address.select();
  const picture = h("div", { class: "qr" });
  const caption = h("p", { class: "hint" });
  const lost = h("p", { class: "hint warn" });
  const draw = () => {
    // The link that was followed may be an older one: the state is what counts, and the address bar mirrors it.
    address.value = location.href;
    const fits = address.value.length <= MOST_IN_QR;
    fill(picture, fits && qr(address.value, app.t("shareQr")));
    caption.textContent = app.t(fits ? "shareQr" : "shareTooLong");
    lost.textContent = board.onlyHere() ? app.t("drawHere") : "";
  };
  fill(
    body,
    h("p", { class: "hint" }, app.t("shareLink")),
    h("div", { class: "link" }, address, button),
    picture,
    caption,
    lost,
  );
  draw();
  // The mirror that writes the address listens as well, and may be called after this one.
  return app.store.on(IN_URL, () => queueMicrotask(draw));
}

/** A QR code in black on white, whatever the palette: phones want it so. */
export function qr(text: string, label: string): SVGSVGElement {
  const { size, data } = encode(text, { ecc: "L", border: 2 });
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  svg.setAttribute("shape-rendering", "crispEdges");
  const path = document.createElementNS(SVG, "path");
  const squares = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  path.setAttribute("d", squares.join(""));
  svg.append(path);
  return svg;
}

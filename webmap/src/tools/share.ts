/** The view as a link: everything that is shown is in it. */
import { qrCode } from "../card/qr.ts";
import type { App } from "../page/app.ts";
import { copied } from "../page/copy.ts";
import { fill, h } from "../page/dom.ts";
import { linkWithin } from "../page/exercise.ts";
import { IN_URL } from "../page/state.ts";
import type { Board } from "./board.ts";

/** Phones still read this many characters from a screen. */
const MOST_IN_QR = 900;

export function shareTool(app: App, board: Board, body: HTMLElement): () => void {
  const address = h("input", { type: "text", readOnly: true, aria: { label: app.t("shareLink") } });
  const button = h("button", { type: "button", class: "primary" }, app.t("shareCopy"));
  button.onclick = () => void copied(app, button, address.value);
  address.onfocus = () => address.select();
  const picture = h("div", { class: "code" });
  const caption = h("p", { class: "hint" });
  const lost = h("p", { class: "hint warn" });
  const draw = () => {
    // The link that was followed may be an older one: the state is what counts, and the address bar mirrors it.
    address.value = linkWithin(app, location.href);
    const fits = address.value.length <= MOST_IN_QR;
    fill(picture, fits && qrCode(address.value, app.t("shareQr")));
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

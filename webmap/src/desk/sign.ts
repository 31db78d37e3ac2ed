/** A quiet sign in the strip at the foot: whether the map follows the city, or of when its picture is. */

import type { LiveState } from "../city/live.ts";
import type { App } from "../page/app.ts";

/** Keep the sign in an element; returns what to call when the state turns. */
export function liveSign(element: HTMLElement, app: App): (state: LiveState) => void {
  let state: LiveState = { kind: "off" };
  const draw = () => {
    const text = words(app, state);
    element.hidden = text === "";
    element.dataset.state = state.kind;
    element.title = state.kind === "live" ? app.t("liveWhy") : "";
    // It is read out when it changes, and only then.
    if (element.textContent !== text) element.textContent = text;
  };
  app.store.on(["lang"], draw);
  draw();
  return (turned) => {
    const same = turned.kind === state.kind;
    state = turned;
    if (!same || turned.kind === "waiting") draw();
  };
}

function words(app: App, state: LiveState): string {
  switch (state.kind) {
    case "off":
      return "";
    case "connecting":
      return app.t("connecting");
    case "live":
      return app.t("live");
    case "waiting":
      return app.t("reconnecting", { time: state.since.toLocaleTimeString("sv-SE", { timeZone: "Asia/Shanghai" }) });
  }
}

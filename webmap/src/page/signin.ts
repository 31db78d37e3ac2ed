/** Administrator sign-in: the token is kept in this tab and sent with every request. */

import * as api from "../city/api.ts";
import type { App } from "./app.ts";
import { h } from "./dom.ts";
import { failure } from "./why.ts";

/** Ask for the token; the page starts anew with it, since what may be seen changes everywhere. */
export function signIn(app: App): void {
  const input = h("input", {
    type: "password",
    id: "token",
    autocomplete: "off",
    required: true,
    aria: { describedby: "token-hint" },
  });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const dialog = h(
    "dialog",
    { aria: { labelledby: "sign-in-title" } },
    h(
      "form",
      {
        method: "dialog",
        onsubmit: (event: SubmitEvent) => {
          event.preventDefault();
          void tryToken(input.value.trim(), app).then((problem) => {
            wrong.textContent = problem;
          });
        },
      },
      h("h2", { id: "sign-in-title" }, app.t("signInTitle")),
      h("label", { htmlFor: "token" }, app.t("tokenLabel")),
      input,
      h("p", { id: "token-hint", class: "hint" }, app.t("tokenHint")),
      wrong,
      h(
        "footer",
        {},
        h("button", { type: "button", onclick: () => dialog.close() }, app.t("cancel")),
        h("button", { type: "submit", class: "primary" }, app.t("signIn")),
      ),
    ),
  );
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}

async function tryToken(given: string, app: App): Promise<string> {
  try {
    await api.get("/layers", undefined, { Authorization: `Bearer ${given}` });
  } catch (error) {
    const refused = error instanceof api.Refused && (error.status === 401 || error.status === 403);
    return refused ? app.t("tokenWrong") : failure(app, error);
  }
  api.token.set(given);
  location.reload();
  return "";
}

export function signOut(): void {
  api.token.set(null);
  location.reload();
}

/** Page of text that is shown between images. */

import { byId, make, marked } from "./dom.js";

const MIN_READING_MS = 1000;

/** Shows a text with its buttons. */
export class PageView {
  #text = null;
  #shownAt = 0;

  /** @param {function(string): void} press Called with the label of a pressed button. */
  constructor(press) {
    this.press = press;
  }

  get visible() {
    return !byId("page").hidden;
  }

  /** Show a text; showing the same one again changes nothing. */
  show(text) {
    const appears = !this.visible;
    byId("page").hidden = false;
    if (JSON.stringify(text) === JSON.stringify(this.#text)) return;
    const turned = appears || text.title !== this.#text?.title;
    this.#text = text;
    if (turned) this.#shownAt = performance.now();
    byId("title").textContent = text.title;
    byId("body").replaceChildren(
      ...text.body.map((paragraph) => make("p", {}, ...marked(paragraph))),
    );
    for (const part of ["code", "note"]) {
      byId(part).textContent = text[part] ?? "";
      byId(part).hidden = !text[part];
    }
    const labels = [text.goOn, ...(text.also ?? []), text.other].filter(Boolean);
    byId("buttons").replaceChildren(...labels.map((label) => this.#button(label)));
    // Screen readers then read the new page, and Space presses no button of the old one.
    if (turned) byId("title").focus({ preventScroll: true });
  }

  hide() {
    byId("page").hidden = true;
    this.#text = null;
  }

  /** Press the focused button, or else the main one. */
  enter() {
    const { deliberate, goOn } = this.#text;
    // Enter may have been pressed once too often on the page before.
    if (deliberate && performance.now() - this.#shownAt < MIN_READING_MS) return;
    const focused = document.activeElement?.closest("#buttons button");
    if (focused) focused.click();
    else if (goOn) this.press(goOn);
  }

  #button(label) {
    const main = label === this.#text.goOn;
    const button = make("button", {
      type: "button",
      className: main ? "big main" : "big",
      textContent: label,
      onclick: () => this.press(label),
    });
    if (main) {
      const key = make("kbd", { textContent: "⏎" });
      key.setAttribute("aria-hidden", "true");
      button.append(" ", key);
    }
    return button;
  }
}

/** Keys of the page, and what they do. */

const COMMON = {
  Enter: "goOn",
  " ": "goOn",
  1: "level1",
  2: "level2",
  3: "level3",
  4: "level4",
  5: "level5",
  p: "pause",
  m: "mip",
  w: "resetWindow",
  ArrowUp: "up",
  ArrowDown: "down",
  PageUp: "farUp",
  PageDown: "farDown",
  Backspace: "undoMark",
  F1: "help",
};
const ANSWERS = {
  rating: { r: "first", g: "second" },
  "2afc": { ArrowLeft: "first", ArrowRight: "second" },
};
const REPEATABLE = ["up", "down", "farUp", "farDown"];

/** What to do, by key, mouse and touch, for the help. */
export const HELP = {
  common: [
    ["continue; save the answer", "Enter or Space", "the main button, Next", "the same"],
    ["say how sure you are, or how good an image is", "1 to 5", "buttons", "buttons"],
    ["move through slices", "↑ ↓, by five Page Up, Page Down", "wheel", "swipe"],
    ["change window and level", "", "drag; with Ctrl in the projection", "Brightness, then swipe"],
    ["restore window and level", "W", "Reset brightness", "Reset brightness"],
    ["zoom", "", "drag with the right button; Ctrl + wheel", "two fingers"],
    ["move the image", "", "drag with Shift or the middle button", "two fingers"],
  ],
  mip: [
    ["switch to the projection and back", "M", "MIP", "MIP"],
    ["turn the projection", "", "drag", "one finger"],
  ],
  rating: [["answer real, generated", "R, G", "buttons", "buttons"]],
  "2afc": [["answer left, right", "←, →", "buttons", "buttons"]],
  marks: [
    ["mark a place, after the answer", "", "click, then choose reasons", "tap"],
    ["remove the last mark", "Backspace", "Undo", "Undo"],
  ],
  last: [
    ["pause, continue", "P", "Pause, Continue", "Pause"],
    ["reach any button", "Tab, then Space", "", ""],
  ],
};

/**
 * Listen to keys.
 *
 * @param {function(): "rating"|"2afc"} design Of the reading.
 * @param {function(string): void} act Called with each action.
 */
export function listenToKeys(design, act) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (document.querySelector("dialog[open]")) return;
    const presses = event.target.closest?.("button, a");
    if (presses && event.key === " ") return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = COMMON[key] ?? ANSWERS[design()][key];
    if (action === undefined) return;
    event.preventDefault();
    if (!event.repeat || REPEATABLE.includes(action)) act(action);
  });
}

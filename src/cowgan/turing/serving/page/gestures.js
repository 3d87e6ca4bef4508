/** Drags, clicks, wheel and touch on an image, as what they mean. */

const CLICK_PX = 4;
const TAP_PX = 10;
const WHEEL_PX = 100;
const LINES_PX = 33;

/**
 * Listen to an element.
 *
 * Positions are in px right of and below its centre.
 *
 * @param {HTMLElement} element The image.
 * @param {object} on `drag(kind, right, down)` with the kinds "main", "zoom", "pan", "window" and
 *   "swipe" (of one finger), `pinch(factor, x, y)`, `wheel(notches, x, y, ctrl)`, `click(x, y)` and
 *   `rest()` after each.
 */
export function listen(element, on) {
  const fingers = new Map();
  let kind = null;
  let moved = false;
  let wheel = 0;
  let pressed = null;

  const fromCentre = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
  };

  element.addEventListener("pointerdown", (event) => {
    const at = fromCentre(event);
    if (event.pointerType === "touch") {
      fingers.set(event.pointerId, at);
      kind = fingers.size === 1 ? "swipe" : "pinch";
      if (fingers.size > 1) moved = true;
    } else if (kind === null) {
      kind = kindOf(event);
    }
    if (fingers.size <= 1) {
      moved = false;
      pressed = at;
    }
    if (kind !== null) element.setPointerCapture(event.pointerId);
    if (fingers.size <= 1) fingers.set(event.pointerId, at);
  });

  element.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (before === undefined || kind === null) return;
    const at = fromCentre(event);
    const slack = event.pointerType === "touch" ? TAP_PX : CLICK_PX;
    const distance = Math.abs(at[0] - pressed[0]) + Math.abs(at[1] - pressed[1]);
    if (!moved && distance <= slack) return;
    moved = true;
    if (kind === "pinch") pinch(event.pointerId, before, at);
    else on.drag(kind, at[0] - before[0], at[1] - before[1]);
    fingers.set(event.pointerId, at);
  });

  const release = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    const clicked = !moved && (kind === "main" || kind === "swipe");
    if (clicked && event.type === "pointerup") on.click(...fromCentre(event));
    // The finger that stays down after a pinch does nothing more.
    if (fingers.size === 0) kind = null;
    on.rest();
  };
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);

  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const px = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINES_PX;
      wheel -= (event.deltaY || event.deltaX) * px;
      const notches = Math.trunc(wheel / WHEEL_PX);
      wheel -= notches * WHEEL_PX;
      if (notches !== 0) on.wheel(notches, ...fromCentre(event), event.ctrlKey);
      on.rest();
    },
    { passive: false },
  );
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener("dragstart", (event) => event.preventDefault());

  function pinch(id, before, at) {
    const other = [...fingers].find(([finger]) => finger !== id)?.[1];
    if (other === undefined) return;
    const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
    const factor = apart(at, other) / Math.max(apart(before, other), 1);
    on.pinch(factor, (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
    on.drag("pan", (at[0] - before[0]) / 2, (at[1] - before[1]) / 2);
  }
}

function kindOf(event) {
  if (event.button === 2) return "zoom";
  if (event.button === 1) return "pan";
  if (event.button !== 0) return null;
  if (event.shiftKey) return "pan";
  return event.ctrlKey || event.metaKey ? "window" : "main";
}

/** Small helpers to build elements. */

/** @returns {HTMLElement} A new element with properties and children. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** @returns {SVGElement} A new SVG element with attributes. */
export function makeSvg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** @returns {Node[]} Nodes of a text whose only markup is `<b>`. */
export function marked(text) {
  return text
    .split(/<b>(.*?)<\/b>/)
    .map((part, place) => (place % 2 ? make("b", { textContent: part }) : part));
}

/** @returns {HTMLElement} The element with an id. */
export const byId = (id) => document.getElementById(id);

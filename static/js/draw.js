// Draws, moves and resizes one box on the photo, by mouse, pen or finger; the form's numbers (percent) are the truth.
"use strict";

kinfolk.onPage((page) => {
  const form = page.querySelector("#box-form");
  const svg = page.querySelector("#stage svg");
  const fields = ["x", "y", "w", "h"].map((name) => form.elements.namedItem(name));
  const REACH = 24; // px around a corner that take hold of it: a finger's width
  const SMALLEST = 6; // px: less is a click, not a box

  function element(name, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  const view = svg?.viewBox.baseVal;
  const shape = element("rect", { class: "drawn", rx: 6, hidden: "" });
  const grips = [[0, 0], [1, 0], [0, 1], [1, 1]].map(() => element("circle", { class: "grip", r: 9, hidden: "" }));

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  function box() {
    const [x, y, w, h] = fields.map((field) => (field.value === "" ? NaN : field.valueAsNumber / 100));
    return [x, y, w, h].every(Number.isFinite) && w > 0 && h > 0 ? { x, y, w, h } : null;
  }

  function show() {
    const now = box();
    for (const part of [shape, ...grips]) part.toggleAttribute("hidden", now === null);
    if (now === null) return;
    for (const [key, value] of [["x", now.x * view.width], ["y", now.y * view.height], ["width", now.w * view.width], ["height", now.h * view.height]]) shape.setAttribute(key, value);
    corners(now).forEach(([x, y], i) => {
      grips[i].setAttribute("cx", x * view.width);
      grips[i].setAttribute("cy", y * view.height);
    });
  }

  const corners = ({ x, y, w, h }) => [[x, y], [x + w, y], [x, y + h], [x + w, y + h]];

  function put({ x, y, w, h }) {
    [x, y, w, h].forEach((value, i) => { fields[i].value = (value * 100).toFixed(2); });
    show();
  }

  // Fractions of the photo under the pointer, whatever the picture's scale and bars at its sides.
  function place(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [clamp(point.x / view.width, 0, 1), clamp(point.y / view.height, 0, 1)];
  }

  function onScreen(fraction) {
    const point = new DOMPoint(fraction[0] * view.width, fraction[1] * view.height).matrixTransform(svg.getScreenCTM());
    return [point.x, point.y];
  }

  const between = ([ax, ay], [bx, by]) => ({ x: Math.min(ax, bx), y: Math.min(ay, by), w: Math.abs(ax - bx), h: Math.abs(ay - by) });

  // What a pointer that goes down here will do: a function from the place it has moved to, to the box.
  function begun(event) {
    const start = place(event);
    const old = box();
    if (old !== null) {
      const all = corners(old);
      const far = all.map((corner) => Math.hypot(...onScreen(corner).map((value, i) => value - [event.clientX, event.clientY][i])));
      const nearest = far.indexOf(Math.min(...far));
      // The corner across stays where it is.
      if (far[nearest] <= REACH) return (to) => between(all[3 - nearest], to);
      if (start[0] > old.x && start[0] < old.x + old.w && start[1] > old.y && start[1] < old.y + old.h) {
        return (to) => ({ ...old, x: clamp(old.x + to[0] - start[0], 0, 1 - old.w), y: clamp(old.y + to[1] - start[1], 0, 1 - old.h) });
      }
    }
    return (to) => between(start, to);
  }

  if (svg) {
    svg.append(shape, ...grips);
    for (const hint of page.querySelectorAll(".scripted")) hint.hidden = false;
    page.querySelector("#numbers").open = false;
    let follow = null;
    let from = null;

    svg.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button !== 0) return;
      event.preventDefault();
      svg.setPointerCapture(event.pointerId);
      follow = begun(event);
      from = [event.clientX, event.clientY];
    });
    svg.addEventListener("pointermove", (event) => {
      if (follow === null || Math.hypot(event.clientX - from[0], event.clientY - from[1]) < SMALLEST) return;
      put(follow(place(event)));
    });
    svg.addEventListener("pointerup", (event) => {
      if (follow !== null && event.pointerType === "mouse" && box() !== null) form.elements.namedItem("name")?.focus();
      follow = null;
    });
    svg.addEventListener("pointercancel", () => { follow = null; });
    // Links under the box must not open while it is drawn.
    svg.addEventListener("click", (event) => event.preventDefault());
    form.addEventListener("input", show);
    // Numbers that are folded away cannot be pointed at by the browser when they are missing.
    form.addEventListener("invalid", () => { page.querySelector("#numbers").open = true; }, true);
    show();
  }
});
